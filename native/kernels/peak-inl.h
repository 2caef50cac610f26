// Latency 4, two ports: 8 chains would do, 12 leave slack and still fit 16 registers.
inline constexpr int kChains = 12;

inline float multiplyAdd(int64_t steps) {
  Vec chain[kChains];
  for (int j = 0; j < kChains; ++j) chain[j] = Vec::set(0.1f * static_cast<float>(j));
  const Vec scale = Vec::set(1.0000001f);
  const Vec shift = Vec::set(1e-9f);
  for (int64_t i = 0; i < steps; ++i) {
    for (int j = 0; j < kChains; ++j) chain[j] = Vec::fma(chain[j], scale, shift);
  }
  Vec total = chain[0];
  for (int j = 1; j < kChains; ++j) total = total + chain[j];
  return total.sum();
}

inline float sum(const float* x, int64_t n) {
  constexpr int kStreams = 8;
  constexpr int kStep = kStreams * Vec::kLanes;
  Vec total[kStreams];
  for (int j = 0; j < kStreams; ++j) total[j] = Vec::zero();
  int64_t i = 0;
  for (; i + kStep <= n; i += kStep) {
    for (int j = 0; j < kStreams; ++j) total[j] = total[j] + Vec::load(x + i + j * Vec::kLanes);
  }
  for (; i < n; i += Vec::kLanes) total[0] = total[0] + Vec::load(x + i);
  for (int j = 1; j < kStreams; ++j) total[0] = total[0] + total[j];
  return total[0].sum();
}

inline constexpr Peak kPeak{multiplyAdd, 2 * kChains * Vec::kLanes, sum};
