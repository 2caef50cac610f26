#include "kernels/matrix/writeRow-inl.h"

// How far ahead rows are asked for, in floats: the next page, which the processor does not fetch by
// itself. Rows that lie one behind the other then arrive while others are computed: sums of memory
// went from 7.3 to 9.5 GB/s with AVX-512, softmax from 7.3 to 9.6 counting both ways, caches as
// before.
constexpr int64_t kAhead = 1024;
inline void fetchAhead(const float* p, int64_t i) {
  if (Vec::kLanes >= 16 || i % 16 == 0) __builtin_prefetch(p + i + kAhead);
}

// The same for rows that come from far: memory gives many places sooner than one. For each line of
// 64 KB that is passed by, one of the next 64 KB, in its sixteen pages by turns.
inline void fetchPages(const float* p, int64_t i) {
  constexpr uintptr_t kLine = 64, kPage = 4096, kPages = 16, kSpan = kPages * kPage;
  if (Vec::kLanes < 16 && i % 16 != 0) return;
  const auto at = reinterpret_cast<uintptr_t>(p + i);
  const uintptr_t number = at % kSpan / kLine, line = number % 64, page = number / 64;
  const uintptr_t to =
      at / kSpan * kSpan + kSpan + line % kPages * kPage + (page * 4 + line / kPages) * kLine;
  __builtin_prefetch(reinterpret_cast<const void*>(to));
}

// The first `count` lanes from p on, the others `rest`.
inline Vec loadOr(const float* p, int count, Vec rest) {
  return Vec::select(Mask::firstLanes(count), Vec::loadPartial(p, count), rest);
}

inline float rowMaximum(const float* x, int64_t n) {
  const Vec lowest = Vec::set(-std::numeric_limits<float>::infinity());
  Vec a = lowest, b = lowest, c = lowest, d = lowest;
  int64_t i = 0;
  for (; i + 4 * Vec::kLanes <= n; i += 4 * Vec::kLanes) {
    for (int j = 0; j < 4; ++j) fetchAhead(x, i + j * Vec::kLanes);
    a = Vec::max(a, Vec::load(x + i));
    b = Vec::max(b, Vec::load(x + i + Vec::kLanes));
    c = Vec::max(c, Vec::load(x + i + 2 * Vec::kLanes));
    d = Vec::max(d, Vec::load(x + i + 3 * Vec::kLanes));
  }
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) a = Vec::max(a, Vec::load(x + i));
  if (i < n) b = Vec::max(b, loadOr(x + i, int(n - i), lowest));
  return Vec::max(Vec::max(a, b), Vec::max(c, d)).maximum();
}

inline void scaleRow(float* y, float factor, int64_t n) {
  const Vec f = Vec::set(factor);
  int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) (Vec::load(y + i) * f).store(y + i);
  if (i < n) (Vec::loadPartial(y + i, int(n - i)) * f).storePartial(y + i, int(n - i));
}

void softmaxRow(const float* x, float* y, int64_t n) {
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  const float maximum = rowMaximum(x, n);
  // A row of -inf has no maximum to subtract; its exponentials are 0 as they are. (A NaN may have
  // been lost to the maximum, but not to the sum.)
  const Vec shift = Vec::set(maximum == kLowest ? 0.0f : maximum);
  WideSum sum = WideSum::zero();
  int64_t i = 0;
  for (; i + 4 * Vec::kLanes <= n; i += 4 * Vec::kLanes) {
    Vec e[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      fetchAhead(y, i + j * Vec::kLanes);
      e[j] = exp(Vec::load(x + i + j * Vec::kLanes) - shift);
      e[j].store(y + i + j * Vec::kLanes);
    }
    sum.add((e[0] + e[1]) + (e[2] + e[3]));
  }
  for (; i < n; i += Vec::kLanes) {
    const int count = n - i < Vec::kLanes ? int(n - i) : Vec::kLanes;
    const Vec e = exp(loadOr(x + i, count, Vec::set(kLowest)) - shift);
    e.storePartial(y + i, count);
    sum.add(e);
  }
  const double total = sum.total();
  scaleRow(y, total == 0 ? 0.0f : float(1.0 / total), n);
}

template <void (*kFetch)(const float*, int64_t)>
inline double sumFetching(const float* x, int64_t n) {
  WideSum sum = WideSum::zero();
  int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) {
    kFetch(x, i);
    sum.add(Vec::load(x + i));
  }
  if (i < n) sum.add(Vec::loadPartial(x + i, int(n - i)));
  return sum.total();
}

double sumRow(const float* x, int64_t n) { return sumFetching<fetchAhead>(x, n); }

template <int kCount>
inline void sumRowsOf(const float* x, int64_t pitch, int64_t n, double* sums) {
  WideSum sum[kCount];
  for (int r = 0; r < kCount; ++r) sum[r] = WideSum::zero();
  int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) {
#pragma GCC unroll 8
    for (int r = 0; r < kCount; ++r) sum[r].add(Vec::load(x + r * pitch + i));
  }
  for (int r = 0; r < kCount; ++r) {
    if (i < n) sum[r].add(Vec::loadPartial(x + r * pitch + i, int(n - i)));
    sums[r] = sum[r].total();
  }
}

void sumRows(const float* x, int64_t pitch, int64_t rows, int64_t n, double* sums) {
  constexpr int kMost = Vec::kRegisters >= 32 ? 8 : 4;
  int64_t r = 0;
  for (; r + kMost <= rows; r += kMost) sumRowsOf<kMost>(x + r * pitch, pitch, n, sums + r);
  for (; r < rows; ++r) sums[r] = sumRow(x + r * pitch, n);
}

double sumExponentials(const float* x, int64_t n, float shift) {
  const Vec by = Vec::set(shift), lowest = Vec::set(-std::numeric_limits<float>::infinity());
  WideSum sum = WideSum::zero();
  int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) sum.add(exp(Vec::load(x + i) - by));
  if (i < n) sum.add(exp(loadOr(x + i, int(n - i), lowest) - by));
  return sum.total();
}

float largestOfRow(const float* x, int64_t n) {
  const float most = rowMaximum(x, n);
  // A maximum drops NaN; comparing every element with itself does not.
  Mask nan = Mask::firstLanes(0);
  int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) nan = nan | Vec::isNan(Vec::load(x + i));
  if (i < n) nan = nan | Vec::isNan(Vec::loadPartial(x + i, int(n - i)));
  return nan.any() ? std::numeric_limits<float>::quiet_NaN() : most;
}

// x minus a mean that is more precise than a float: the first difference is exact where it matters.
inline Vec deviation(Vec x, Vec meanHigh, Vec meanLow) { return (x - meanHigh) - meanLow; }

inline double sumSquaredDeviations(const float* x, const float* y, Vec meanHigh, Vec meanLow,
                                   int64_t n) {
  WideSum sum = WideSum::zero();
  int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) {
    fetchAhead(y, i);
    sum.addSquare(deviation(Vec::load(x + i), meanHigh, meanLow));
  }
  if (i < n) {
    const int count = int(n - i);
    const Vec d = deviation(Vec::loadPartial(x + i, count), meanHigh, meanLow);
    sum.addSquare(Vec::select(Mask::firstLanes(count), d, Vec::zero()));
  }
  return sum.total();
}

double squaredDeviationsOfRow(const float* x, int64_t n, double mean) {
  const float high = float(mean);
  return sumSquaredDeviations(x, x, Vec::set(high), Vec::set(float(mean - double(high))), n);
}

void layerNormRow(const float* x, const float* weight, const float* bias, double eps, float* y,
                  int64_t n, bool far) {
  const double mean = (far ? sumFetching<fetchPages>(x, n) : sumRow(x, n)) / double(n);
  const float high = float(mean);
  const Vec meanHigh = Vec::set(high), meanLow = Vec::set(float(mean - double(high)));
  const double variance = sumSquaredDeviations(x, far ? x : y, meanHigh, meanLow, n) / double(n);
  const Vec scale = Vec::set(float(1.0 / __builtin_sqrt(variance + eps)));
  const auto normalised = [&](int64_t i, int count) {
    return deviation(loadLanes(x + i, count), meanHigh, meanLow) * scale;
  };
  if (weight == nullptr) return writeRow(x, y, n, far, normalised);
  writeRow(x, y, n, far, [&](int64_t i, int count) {
    return Vec::fma(normalised(i, count), loadLanes(weight + i, count), loadLanes(bias + i, count));
  });
}

void normalizeRow(const float* x, double least, float* y, int64_t n) {
  WideSum sum = WideSum::zero();
  int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) sum.addSquare(Vec::load(x + i));
  if (i < n) sum.addSquare(Vec::loadPartial(x + i, int(n - i)));
  const double norm = __builtin_sqrt(sum.total());
  const Vec by = Vec::set(float(norm < least ? least : norm));
  for (i = 0; i + Vec::kLanes <= n; i += Vec::kLanes) (Vec::load(x + i) / by).store(y + i);
  if (i < n) (Vec::loadPartial(x + i, int(n - i)) / by).storePartial(y + i, int(n - i));
}

void geluRow(const float* x, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) {
    fetchAhead(x, i);
    fetchAhead(y, i);
    gelu(Vec::load(x + i)).store(y + i);
  }
  const int count = int(n - i);
  if (count > 0) gelu(Vec::loadPartial(x + i, count)).storePartial(y + i, count);
}

// Four sums a vector: one alone would wait for itself.
template <int kVectors>
inline void addSquaresOf(const float* x, int64_t stride, int64_t count, float* sums) {
  constexpr int kWays = 4;
  Vec sum[kWays][kVectors];
#pragma GCC unroll 4
  for (int way = 0; way < kWays; ++way) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) sum[way][v] = Vec::zero();
  }
  const auto add = [&](Vec(&to)[kVectors]) __attribute__((always_inline)) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      const Vec a = Vec::loadOnce(x + v * Vec::kLanes);
      to[v] = Vec::fma(a, a, to[v]);
    }
    x += stride;
  };
  for (; count >= kWays; count -= kWays) {
#pragma GCC unroll 4
    for (int way = 0; way < kWays; ++way) add(sum[way]);
  }
  for (; count > 0; --count) add(sum[0]);
#pragma GCC unroll 3
  for (int v = 0; v < kVectors; ++v) {
    float* to = sums + v * Vec::kLanes;
    (Vec::load(to) + ((sum[0][v] + sum[1][v]) + (sum[2][v] + sum[3][v]))).store(to);
  }
}

void addSquares(const float* x, int64_t stride, int64_t count, float* sums, int64_t n) {
  int64_t i = 0;
  for (; i + 3 * Vec::kLanes <= n; i += 3 * Vec::kLanes) {
    addSquaresOf<3>(x + i, stride, count, sums + i);
  }
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) addSquaresOf<1>(x + i, stride, count, sums + i);
  if (i == n) return;
  const int rest = static_cast<int>(n - i);
  Vec sum = Vec::loadPartial(sums + i, rest);
  for (int64_t row = 0; row < count; ++row) {
    const Vec a = Vec::loadPartial(x + row * stride + i, rest);
    sum = Vec::fma(a, a, sum);
  }
  sum.storePartial(sums + i, rest);
}

// Nothing to order here: a loop that every compiler turns into vectors.
void addSquaresWide(const float* x, double* sums, int64_t n) {
  for (int64_t i = 0; i < n; ++i) sums[i] += double(x[i]) * double(x[i]);
}

inline constexpr Rows kRows{softmaxRow,   layerNormRow, normalizeRow,           geluRow,
                            sumRow,       sumRows,      squaredDeviationsOfRow, sumExponentials,
                            largestOfRow, addSquares,   addSquaresWide};
