// Small helpers of the operations that hand problems to the attention engine.
#pragma once
#include "core/tensor.h"
#include "engine/attend.h"

namespace fovea {

// Where row (b, h, i) of a tensor [B, H, L, ...] begins, in elements.
inline int64_t rowAt(const Tensor& t, int64_t b, int64_t h, int64_t i) {
  return b * t.strides[0] + h * t.strides[1] + i * t.strides[2];
}

// The rows (b, h, first), (b, h, first + step), ... of a tensor [B, H, L, D], as keys or values.
inline KeyRows keyRowsAt(const Tensor& t, int64_t b, int64_t h, int64_t first = 0,
                         int64_t step = 1) {
  return {t.at(rowAt(t, b, h, first)), t.strides[2] * step, t.strides[3], nullptr, t.dtype};
}

}  // namespace fovea
