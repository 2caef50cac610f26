// Rows of elements of 16 bits as float32, exactly.
#pragma once
#include <cstdint>

namespace fovea {

// to[i] = from[i step], i < n.
struct Widen {
  void (*float16)(const uint16_t* from, int64_t step, float* to, int64_t n);
  void (*bfloat16)(const uint16_t* from, int64_t step, float* to, int64_t n);
};

const Widen& widen();

}  // namespace fovea
