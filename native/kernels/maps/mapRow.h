// Elementwise functions over one row of a feature map's channel: what follows a convolution, a pool
// or a resize before the result leaves the first-level cache. Rows are contiguous, of any
// alignment; `y` may be `x` itself, nothing else may overlap, and nothing outside the rows is
// touched.
#pragma once
#include <cstdint>

#include "kernels/matrix/activation.h"

namespace fovea {

struct MapRow {
  // y = activation((x - centre) * scale + shift). Subtracting first keeps the digits of a mean far
  // above the deviation. 2 instructions a vector besides the activation.
  void (*affine)(const float* x, float* y, int64_t n, float centre, float scale, float shift,
                 Activation activation);
  // y = (x - centre) * scale + shift where the row runs along channels, with the same bits.
  void (*affineAlong)(const float* x, float* y, int64_t n, const float* centre, const float* scale,
                      const float* shift);
  // y = x * m, y = x + m, and (1 + x) * m; m is a row, or one number where `mStep` is 0.
  // `streams`: y is written past the caches, and is then not x.
  void (*multiply)(const float* x, const float* m, int64_t mStep, float* y, int64_t n,
                   bool streams);
  void (*add)(const float* x, const float* m, int64_t mStep, float* y, int64_t n, bool streams);
  void (*modulate)(const float* x, const float* m, int64_t mStep, float* y, int64_t n,
                   bool streams);
  // y[r] = x[r] * m[r mStep] for several rows, at pitches that are multiples of 16 where `streams`.
  // Four rows side by side come from memory faster than one after the other: 8.5 instead of 10.5 ms
  // for 103 MB read and written.
  void (*scaleRows)(const float* x, int64_t xPitch, const float* m, int64_t mStep, float* y,
                    int64_t yPitch, int64_t rows, int64_t n, bool streams);
  // most = max(most, x scale) and sums = sums + x scale: a row of one more channel in what is known
  // of every position. A NaN stays in the sums.
  void (*gather)(const float* x, float scale, float* most, float* sums, int64_t n);
};

const MapRow& mapRow();

}  // namespace fovea
