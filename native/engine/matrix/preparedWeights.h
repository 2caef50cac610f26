// The packed weights of a call, and where they lie in the array that holds them: at a cache line,
// whatever the array's own address (a vector across two lines costs two loads). The array says
// where, so that a copy of it elsewhere still holds the same weights.
#pragma once
#include <algorithm>
#include <cstdint>

#include "core/call.h"
#include "core/scratch.h"

namespace fovea {

// Floats that such an array needs beyond its contents.
inline constexpr int64_t kPreparedSlack = 16;

inline float* prepareAt(float* array) {
  const auto address = reinterpret_cast<uintptr_t>(array + 1);
  const int64_t floats = static_cast<int64_t>((64 - address % 64) % 64 / sizeof(float)) + 1;
  array[0] = static_cast<float>(floats);
  return array + floats;
}

inline const float* preparedAt(const float* array) {
  return array + std::clamp<int64_t>(static_cast<int64_t>(array[0]), 1, kPreparedSlack);
}

// The array of packed weights: the one that the call brings or, in scratch, `floats` floats that
// pack(array) writes.
template <class Pack>
const float* packedWeights(const Call& call, int64_t floats, Scratch& scratch, Pack&& pack) {
  if (call.packed) return call.packed;
  float* array = scratch.floats(floats);
  pack(array);
  return array;
}

}  // namespace fovea
