// Linear interpolation of rows.
#pragma once
#include <cstdint>

namespace fovea {

// Where the elements of an output row come from: y[i] = (1 - share[i]) x[low[i]] + share[i]
// x[low[i] + 1], and x[low[i]] exactly where the share is 0, whatever lies beside it. `low` does
// not fall. All have a multiple of kResizeBlock elements, the last one repeated.
inline constexpr int64_t kResizeBlock = 16;
struct ResizeColumns {
  const int64_t* low;
  const int32_t*
      offset;  // from the first `low` of the block of kResizeBlock; right where it is below 2^31
  const float* share;
  int64_t count;
};

struct ResizeRow {
  // x has `width` elements, `step` apart. Ten instructions a vector where the elements that a
  // vector needs lie within two vectors and step is 1: every enlargement, and reductions down to
  // about a half.
  void (*columns)(const float* x, int64_t step, int64_t width, const ResizeColumns& columns,
                  float* y);
  // y = (1 - share) a + share b; a itself where the share is 0. y may be a or b.
  void (*blend)(const float* a, const float* b, float share, float* y, int64_t n);
};

const ResizeRow& resizeRow();

}  // namespace fovea
