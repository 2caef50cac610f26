// From scores to weights where every lane has a problem of its own: vectors of scores that follow
// each other, one a key.
inline constexpr int kLanes = Vec::kLanes;
inline constexpr bool kWideFile = Vec::kRegisters >= 32;
inline constexpr float kHiddenScore = -std::numeric_limits<float>::infinity();

// scores += addend; -inf hides a key, whatever its score was.
inline void addAddend(const float* addend, int count, float* scores) {
  const Vec hidden = Vec::set(kHiddenScore);
  for (int64_t n = 0; n < int64_t{count} * kLanes; n += kLanes) {
    const Vec a = Vec::load(addend + n);
    Vec::select(Vec::equal(a, hidden), hidden, Vec::load(scores + n) + a).store(scores + n);
  }
}

// Scores become weights; returns 1 over their sum.
inline Vec weighScores(float* s, int count, float* lse) {
  Vec m0 = Vec::set(kHiddenScore), m1 = m0;
  int n = 0;
  for (; n + 2 <= count; n += 2) {
    m0 = Vec::max(m0, Vec::load(s + n * kLanes));
    m1 = Vec::max(m1, Vec::load(s + (n + 1) * kLanes));
  }
  for (; n < count; ++n) m0 = Vec::max(m0, Vec::load(s + n * kLanes));
  const Vec most = Vec::max(m0, m1);
  const auto weight = [&](int at) {
    const Vec p = exp2OrZero(Vec::load(s + at * kLanes) - most);
    p.store(s + at * kLanes);
    return p;
  };
  Vec sum[4] = {Vec::zero(), Vec::zero(), Vec::zero(), Vec::zero()};
  for (n = 0; n + 4 <= count; n += 4) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) sum[j] = sum[j] + weight(n + j);
  }
  for (; n < count; ++n) sum[0] = sum[0] + weight(n);
  const Vec total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  if (lse) Vec::fma(most, Vec::set(kLn2), log(total)).store(lse);
  return Vec::set(1.0f) / total;
}
