// The tokens with the largest scores: what a cluster of routing attention takes.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

namespace fovea {

// Orders scores as whole numbers, the best first; a NaN comes last, and -0 equals 0.
inline uint32_t rankOf(float score) {
  if (score != score) return UINT32_MAX;
  const auto bits = std::bit_cast<uint32_t>(score + 0.0f);
  return bits >> 31 ? bits : ~(bits | 0x80000000u);
}

// Writes the positions of the `count` best of `scores` [0, length), ascending; of equal scores the
// earlier is the better. 1 <= count <= length; `candidates` has room for `length` numbers. Three
// readings of the scores: a histogram of their leading bits finds the score that decides.
inline void largest(const float* scores, int64_t length, int64_t count, uint64_t* candidates,
                    int32_t* positions) {
  constexpr int kBits = 11;
  int32_t ranks[1 << kBits] = {};
  for (int64_t i = 0; i < length; ++i) ++ranks[rankOf(scores[i]) >> (32 - kBits)];
  uint32_t bucket = 0;
  int64_t before = 0;
  while (before + ranks[bucket] < count) before += ranks[bucket++];
  const auto keyOf = [&](int64_t i) {
    return uint64_t{rankOf(scores[i])} << 32 | static_cast<uint64_t>(i);
  };
  int64_t among = 0;
  for (int64_t i = 0; i < length; ++i) {
    candidates[among] = keyOf(i);
    among += rankOf(scores[i]) >> (32 - kBits) == bucket ? 1 : 0;
  }
  uint64_t* last = candidates + (count - before - 1);
  std::nth_element(candidates, last, candidates + among);
  int64_t taken = 0;
  for (int64_t i = 0; taken < count; ++i) {
    positions[taken] = static_cast<int32_t>(i);
    taken += keyOf(i) <= *last ? 1 : 0;
  }
}

}  // namespace fovea
