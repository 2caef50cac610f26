// Reads elements of the float types as float32, exactly.
#pragma once
#include <bit>
#include <cstdint>

#include "core/tensor.h"

namespace fovea {

inline float widenBfloat16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

inline float widenFloat16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t magnitude = bits & 0x7fff;
  if (magnitude < 0x0400) {  // zero and subnormals, by arithmetic that subnormal modes cannot touch
    return std::bit_cast<float>(sign |
                                std::bit_cast<uint32_t>(static_cast<float>(magnitude) * 0x1p-24f));
  }
  const uint32_t bias = magnitude >= 0x7c00 ? (255 - 31) << 23 : (127 - 15) << 23;
  return std::bit_cast<float>(sign | ((magnitude << 13) + bias));
}

// Element `index` (in elements from [0, 0, ...]) of a float32, float16 or bfloat16 tensor.
inline float widen(const Tensor& tensor, int64_t index) {
  switch (tensor.dtype) {
    case Dtype::kFloat16:
      return widenFloat16(static_cast<const uint16_t*>(tensor.data)[index]);
    case Dtype::kBfloat16:
      return widenBfloat16(static_cast<const uint16_t*>(tensor.data)[index]);
    default:
      return static_cast<const float*>(tensor.data)[index];
  }
}

// A tensor of rank 1 into contiguous memory.
inline void widenVector(const Tensor& tensor, float* to) {
  for (int64_t i = 0; i < tensor.shape[0]; ++i) to[i] = widen(tensor, i * tensor.strides[0]);
}

}  // namespace fovea
