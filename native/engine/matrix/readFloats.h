// Elements of float32, float16 or bfloat16 tensors as consecutive floats, exactly.
#pragma once
#include <cstdint>

#include "core/tensor.h"

namespace fovea {

// to[i] = element i * step behind `from`, i < n. Where n is 0 `from` may be null.
void readFloats(const void* from, Dtype dtype, int64_t step, float* to, int64_t n);

}  // namespace fovea
