// 2^z, but for exponents past which the tangent is 1. NaN stays.
inline Vec cappedPower(Vec z) { return exp2OrZero(Vec::min(Vec::set(26.0f), z)); }

template <int kRows>
[[gnu::always_inline]] inline void scoreRows(const AdditiveBlock& b, int64_t row, int column,
                                             int count) {
  const float* queries = b.queries + row * b.queryStride;
  const Vec one = Vec::set(1.0f);
  Vec sum[kRows];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) sum[r] = Vec::zero();
  for (int64_t a = 0; a < b.channels; a += 2) {
    const float* keys = b.keys + a * kPanel + column;
    const Vec key0 = Vec::load(keys), key1 = Vec::load(keys + kPanel);
    const Vec v0 = Vec::set(b.v[a]), v1 = Vec::set(b.v[a + 1]);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const float* query = queries + r * b.queryStride + a;
      const Vec e0 = cappedPower(key0 + Vec::set(query[0]));
      const Vec e1 = cappedPower(key1 + Vec::set(query[1]));
      const Vec above0 = e0 + one, above1 = e1 + one;
      const Vec first = (v0 * (e0 - one)) * above1;
      const Vec both = Vec::fma(v1 * (e1 - one), above0, first);
      sum[r] = sum[r] + both / (above0 * above1);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r)
    sum[r].storePartial(b.scores + (row + r) * b.scoreStride + column, count);
}

void additiveScores(const AdditiveBlock& b) {
  constexpr int kRows = Vec::kRegisters >= 32 ? 4 : 2;
  for (int column = 0; column < b.columns; column += Vec::kLanes) {
    const int left = b.columns - column;
    const int count = left < Vec::kLanes ? left : Vec::kLanes;
    int64_t row = 0;
    for (; row + kRows <= b.rows; row += kRows) scoreRows<kRows>(b, row, column, count);
    for (; row < b.rows; ++row) scoreRows<1>(b, row, column, count);
  }
}

inline constexpr Additive kAdditive{additiveScores};
