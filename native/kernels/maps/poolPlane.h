// Pooling of one plane of a map.
#pragma once
#include <cstdint>

namespace fovea {

struct PoolPlane {
  const float* from;  // [height, width] by its strides
  int64_t rowStride, columnStride;
  int64_t height, width;
  int64_t kernel[2], stride[2], padding[2];  // of rows, of columns
  // Rows [firstRow, firstRow + rows) of the output, all columns.
  int64_t firstRow, rows, columns;
  float* to;  // where row `firstRow` goes
  int64_t toRowStride, toColumnStride;
  // Scratch, sized by poolBuffers.
  float *line, *phases, *result;
  int64_t phasePitch;
};

// Floats of a plane's scratch. A line is a row with its padding, phases the same taken apart by the
// stride into rows that are `phase` apart.
struct PoolBuffers {
  int64_t line, phase, phases, result;
};

inline PoolBuffers poolBuffers(const PoolPlane& p) {
  const auto vectors = [](int64_t n) { return (n + 15) / 16 * 16 + 16; };
  const int64_t kernel = p.kernel[1], stride = p.stride[1];
  const int64_t met = p.columns + (kernel - 1) / stride;
  const int64_t filled = p.width + p.padding[1];
  PoolBuffers b;
  b.line = vectors(met * stride > filled ? met * stride : filled);
  b.phase = vectors(met);
  b.phases = stride == 1 ? 0 : b.phase * (kernel < stride ? kernel : stride);
  b.result = vectors(p.columns);
  return b;
}

struct Pool {
  // The largest of each window; NaN where it holds one; padding is -inf. Windows are taken apart
  // into columns and rows: kernel[0] + kernel[1] comparisons an element rather than their product.
  void (*max)(const PoolPlane&);
};

const Pool& pool();

}  // namespace fovea
