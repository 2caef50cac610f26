#include "kernels/matrix/activation-inl.h"
#include "kernels/matrix/writeRow-inl.h"

void affine(const float* x, float* y, int64_t n, float centre, float scale, float shift,
            Activation activation) {
  const Vec c = Vec::set(centre), a = Vec::set(scale), b = Vec::set(shift);
  withActivation(activation, [&](auto f) {
    eachVector(n, [&](int64_t i, int count) {
      storeLanes(f(Vec::fma(loadLanes(x + i, count) - c, a, b)), y + i, count);
    });
  });
}

void affineAlong(const float* x, float* y, int64_t n, const float* centre, const float* scale,
                 const float* shift) {
  eachVector(n, [&](int64_t i, int count) {
    const Vec v = loadLanes(x + i, count) - loadLanes(centre + i, count);
    storeLanes(Vec::fma(v, loadLanes(scale + i, count), loadLanes(shift + i, count)), y + i, count);
  });
}

template <class Combine>
inline void combineRows(const float* x, const float* m, int64_t mStep, float* y, int64_t n,
                        bool streams, Combine combine) {
  if (mStep == 0) {
    const Vec same = Vec::set(*m);
    writeRow(x, y, n, streams,
             [&](int64_t i, int count) { return combine(loadLanes(x + i, count), same); });
    return;
  }
  writeRow(x, y, n, streams, [&](int64_t i, int count) {
    return combine(loadLanes(x + i, count), loadLanes(m + i, count));
  });
}

void multiply(const float* x, const float* m, int64_t mStep, float* y, int64_t n, bool streams) {
  combineRows(x, m, mStep, y, n, streams, [](Vec a, Vec b) { return a * b; });
}

void add(const float* x, const float* m, int64_t mStep, float* y, int64_t n, bool streams) {
  combineRows(x, m, mStep, y, n, streams, [](Vec a, Vec b) { return a + b; });
}

void modulate(const float* x, const float* m, int64_t mStep, float* y, int64_t n, bool streams) {
  combineRows(x, m, mStep, y, n, streams, [](Vec a, Vec b) { return (Vec::set(1.0f) + a) * b; });
}

template <int kRows>
inline void scaleRowsOf(const float* x, int64_t xPitch, const float* m, int64_t mStep, float* y,
                        int64_t yPitch, int64_t n, bool streams) {
  constexpr int64_t kLanes = Vec::kLanes, kLine = 16, kRun = 4 * kLine, kAhead = 1024;
  Vec by[kRows];
  for (int r = 0; r < kRows; ++r) by[r] = Vec::set(m[r * mStep]);
  const auto edge = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += kLanes) {
      const int count = end - i < kLanes ? int(end - i) : int(kLanes);
      for (int r = 0; r < kRows; ++r) {
        storeLanes(loadLanes(x + r * xPitch + i, count) * by[r], y + r * yPitch + i, count);
      }
    }
  };
  // Whole lines past the caches: a part of one would leave before the row comes up again.
  const int64_t past = int64_t(reinterpret_cast<uintptr_t>(y) / sizeof(float)) % kLine;
  int64_t i = past == 0 || !streams ? 0 : kLine - past;
  if (i > n) i = n;
  edge(0, i);
  for (; i + kRun <= n; i += kRun) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const float* from = x + r * xPitch + i;
      float* to = y + r * yPitch + i;
      for (int64_t line = 0; line < kRun; line += kLine) __builtin_prefetch(from + line + kAhead);
      for (int64_t v = 0; v < kRun; v += kLanes) {
        const Vec product = Vec::load(from + v) * by[r];
        if (streams) {
          product.stream(to + v);
        } else {
          product.store(to + v);
        }
      }
    }
  }
  edge(i, n);
}

void scaleRows(const float* x, int64_t xPitch, const float* m, int64_t mStep, float* y,
               int64_t yPitch, int64_t rows, int64_t n, bool streams) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    scaleRowsOf<4>(x + r * xPitch, xPitch, m + r * mStep, mStep, y + r * yPitch, yPitch, n,
                   streams);
  }
  for (; r < rows; ++r) {
    scaleRowsOf<1>(x + r * xPitch, 0, m + r * mStep, 0, y + r * yPitch, 0, n, streams);
  }
  if (streams) Vec::endStream();
}

void gather(const float* x, float scale, float* most, float* sums, int64_t n) {
  const Vec by = Vec::set(scale);
  eachVector(n, [&](int64_t i, int count) {
    const Vec v = loadLanes(x + i, count) * by;
    storeLanes(Vec::max(loadLanes(most + i, count), v), most + i, count);
    storeLanes(loadLanes(sums + i, count) + v, sums + i, count);
  });
}

inline constexpr MapRow kMapRow{affine, affineAlong, multiply, add, modulate, scaleRows, gather};
