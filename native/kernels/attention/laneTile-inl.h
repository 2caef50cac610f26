#include "kernels/attention/laneWeights-inl.h"

// Rows, and keys or columns of values, of a register tile: 7 x 3 sums and 8 operands of 32
// registers, 3 x 3 and 4 of 16.
inline constexpr int kRowsTogether = kWideFile ? 7 : 3;
inline constexpr int kKeysTogether = 3;

template <int kRows, int kKeys>
void scoreTile(const LaneBlock& b, int n) {
  Vec sum[kRows][kKeys];
  const float* query[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    query[r] = b.query[r];
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) sum[r][j] = Vec::zero();
  }
  const int64_t end = int64_t{b.depth} * kLanes;
  const float* key = b.key + n * end;
#pragma GCC unroll 2
  for (int64_t k = 0; k < end; k += kLanes) {
    Vec y[kKeys];
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) y[j] = Vec::loadOnce(key + j * end + k);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec x = Vec::loadOnce(query[r] + k);
#pragma GCC unroll 8
      for (int j = 0; j < kKeys; ++j) sum[r][j] = Vec::fma(x, y[j], sum[r][j]);
    }
  }
  const Vec scale = Vec::set(b.scale);
  float* to = b.scores + int64_t{n} * kLanes;
  const int64_t pitch = int64_t{b.keys} * kLanes;
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) (sum[r][j] * scale).store(to + r * pitch + j * kLanes);
  }
}

// out[r][c] = share[r] sum_n p[r][n] value[n][c] for some columns c.
template <int kRows, int kColumns>
void valueTile(const LaneBlock& b, int column, const Vec* share) {
  Vec sum[kRows][kColumns];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) sum[r][c] = Vec::zero();
  }
  const int64_t pitch = int64_t{b.keys} * kLanes, step = int64_t{b.valueDepth} * kLanes;
  const float *p = b.scores, *value = b.value + int64_t{column} * kLanes;
#pragma GCC unroll 2
  for (int n = b.keys; n > 0; --n, p += kLanes, value += step) {
    Vec v[kColumns];
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) v[c] = Vec::loadOnce(value + c * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec x = Vec::loadOnce(p + r * pitch);
#pragma GCC unroll 8
      for (int c = 0; c < kColumns; ++c) sum[r][c] = Vec::fma(x, v[c], sum[r][c]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c)
      (sum[r][c] * share[r]).store(b.out[r] + (column + c) * kLanes);
  }
}

template <int kRows>
void attendRows(const LaneBlock& b) {
  const auto ask = [&] {
    if (b.ahead) b.ahead->ask();
  };
  int n = 0;
  for (; n + kKeysTogether <= b.keys; n += kKeysTogether, ask())
    scoreTile<kRows, kKeysTogether>(b, n);
  for (; n < b.keys; ++n) scoreTile<kRows, 1>(b, n);
  Vec share[kRows];
  for (int r = 0; r < kRows; ++r) {
    float* scores = b.scores + int64_t{r} * b.keys * kLanes;
    if (b.addend) addAddend(b.addend, b.keys, scores);
    share[r] = weighScores(scores, b.keys, nullptr);
  }
  int c = 0;
  for (; c + kKeysTogether <= b.valueDepth; c += kKeysTogether, ask())
    valueTile<kRows, kKeysTogether>(b, c, share);
  for (; c + 2 <= b.valueDepth; c += 2) valueTile<kRows, 2>(b, c, share);
  for (; c < b.valueDepth; ++c) valueTile<kRows, 1>(b, c, share);
}

template <int kRows>
void attendSome(const LaneBlock& b) {
  if constexpr (kRows > 0) {
    if (b.rows != kRows) return attendSome<kRows - 1>(b);
    attendRows<kRows>(b);
  }
}

void attend(const LaneBlock& b) { attendSome<kRowsTogether>(b); }

void gatherLanes(const float* const* rows, int64_t offset, int64_t inner, int64_t depth,
                 float* vectors, int64_t step) {
  int lanes = 0;  // that have a row, before one that has none
  while (lanes < kLanes && rows[lanes]) ++lanes;
  int64_t k = 0;
  for (; lanes == kLanes && inner == 1 && k + kLanes <= depth; k += kLanes) {
    Vec square[kLanes];
#pragma GCC unroll 16
    for (int lane = 0; lane < kLanes; ++lane) square[lane] = Vec::load(rows[lane] + offset + k);
    Vec::transpose(square);
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) square[i].store(vectors + (k + i) * step);
  }
  for (; k < depth; ++k)
    for (int lane = 0; lane < kLanes; ++lane)
      vectors[k * step + lane] = rows[lane] ? rows[lane][offset + k * inner] : 0;
}

void scatterLanes(const float* vectors, int64_t step, int64_t depth, float* const* rows,
                  int64_t offset, int64_t inner) {
  int64_t k = 0;
  for (; inner == 1 && k + kLanes <= depth; k += kLanes) {
    Vec square[kLanes];
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) square[i] = Vec::load(vectors + (k + i) * step);
    Vec::transpose(square);
#pragma GCC unroll 16
    for (int lane = 0; lane < kLanes; ++lane)
      if (rows[lane]) square[lane].store(rows[lane] + offset + k);
  }
  for (; k < depth; ++k)
    for (int lane = 0; lane < kLanes; ++lane)
      if (rows[lane]) rows[lane][offset + k * inner] = vectors[k * step + lane];
}

inline constexpr LaneTile kLaneTile{kLanes, kRowsTogether, kKeysTogether,
                                    attend, gatherLanes,   scatterLanes};
