inline constexpr int kVectors = 3;  // a time: 9 registers hold their factors, maxima and sums
inline constexpr int kSpan = kVectors * Vec::kLanes;

// x = f(v, x) for each vector of `rows` rows of a span of columns.
template <class Map>
[[gnu::always_inline]] inline void mapRows(float* panel, int64_t rows, Map f) {
  for (int64_t i = 0; i < rows; ++i, panel += kPanel) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      f(i, v, Vec::load(panel + v * Vec::kLanes)).store(panel + v * Vec::kLanes);
    }
  }
}

void columns(const float* byRow, const float* byColumn, int64_t rows, float* panel) {
  for (int j = 0; j < kPanel; j += kSpan) {
    Vec by[kVectors], most[kVectors], sum[kVectors];
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      by[v] = Vec::load(byColumn + j + v * Vec::kLanes);
      most[v] = Vec::set(-std::numeric_limits<float>::infinity());
      sum[v] = Vec::zero();
    }
    mapRows(panel + j, rows, [&](int64_t i, int v, Vec x) __attribute__((always_inline)) {
      x = x * Vec::set(byRow[i]) * by[v];
      most[v] = Vec::max(x, most[v]);
      return x;
    });
    mapRows(panel + j, rows, [&](int64_t, int v, Vec x) __attribute__((always_inline)) {
      x = exp2OrZero(x - most[v]);
      sum[v] = sum[v] + x;
      return x;
    });
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) sum[v] = Vec::set(1.0f) / sum[v];
    mapRows(panel + j, rows,
            [&](int64_t, int v, Vec x) __attribute__((always_inline)) { return x * sum[v]; });
  }
}

inline constexpr PanelSoftmax kPanelSoftmax{columns};
