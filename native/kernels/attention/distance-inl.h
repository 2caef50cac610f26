inline constexpr int kDistanceRows = 4;
inline constexpr int kDistanceVectors = kPanel / Vec::kLanes < 3 ? kPanel / Vec::kLanes : 3;

template <int kRows>
inline void squaresTile(const float* rows, int64_t depth, const float* panel, float* squares) {
  Vec sum[kRows][kDistanceVectors];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 3
    for (int c = 0; c < kDistanceVectors; ++c) sum[r][c] = Vec::zero();
  for (int64_t k = 0; k < depth; ++k) {
    Vec centre[kDistanceVectors];
#pragma GCC unroll 3
    for (int c = 0; c < kDistanceVectors; ++c)
      centre[c] = Vec::load(panel + k * kPanel + c * Vec::kLanes);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const Vec x = Vec::set(rows[r * depth + k]);
#pragma GCC unroll 3
      for (int c = 0; c < kDistanceVectors; ++c) {
        const Vec away = x - centre[c];
        sum[r][c] = Vec::fma(away, away, sum[r][c]);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 3
    for (int c = 0; c < kDistanceVectors; ++c)
      sum[r][c].store(squares + r * kPanel + c * Vec::kLanes);
}

void squares(const float* rows, int64_t count, int64_t depth, const float* panel, float* to) {
  for (int column = 0; column < kPanel; column += kDistanceVectors * Vec::kLanes) {
    int64_t i = 0;
    for (; i + kDistanceRows <= count; i += kDistanceRows)
      squaresTile<kDistanceRows>(rows + i * depth, depth, panel + column, to + i * kPanel + column);
    for (; i < count; ++i)
      squaresTile<1>(rows + i * depth, depth, panel + column, to + i * kPanel + column);
  }
}

inline constexpr Distance kDistance{squares};
