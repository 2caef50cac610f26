// The tokens with the largest scores: what a cluster of routing attention takes.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

namespace fovea {

// Orders scores as whole numbers, the best first; a NaN comes last, and -0 equals 0. Without a
// branch: the signs of scores are not to be guessed.
inline uint32_t rankOf(float score) {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0f);
  const uint32_t rank = bits ^ (~static_cast<uint32_t>(static_cast<int32_t>(bits) >> 31) >> 1);
  return score == score ? rank : UINT32_MAX;
}

// Writes the positions of the `count` best of `scores` [0, length), ascending; of equal scores the
// earlier is the better. 1 <= count <= length; `ranks` and `candidates` have room for `length`
// numbers. A histogram of the leading bits finds the few scores among which the last is chosen.
inline void largest(const float* scores, int64_t length, int64_t count, uint32_t* ranks,
                    uint64_t* candidates, int32_t* positions) {
  constexpr int kShift = 32 - 11;
  int32_t histogram[1 << (32 - kShift)] = {};
  for (int64_t i = 0; i < length; ++i) ranks[i] = rankOf(scores[i]);
  for (int64_t i = 0; i < length; ++i) ++histogram[ranks[i] >> kShift];
  uint32_t bucket = 0;
  int64_t before = 0;
  while (before + histogram[bucket] < count) before += histogram[bucket++];
  int64_t among = 0;
  for (int64_t i = 0; i < length; ++i) {
    candidates[among] = uint64_t{ranks[i]} << 32 | static_cast<uint64_t>(i);
    among += ranks[i] >> kShift == bucket ? 1 : 0;
  }
  uint64_t* const last = candidates + (count - before - 1);
  std::nth_element(candidates, last, candidates + among);
  // Everything ranked before the last one, and its equals up to its own position.
  const auto rank = static_cast<uint32_t>(*last >> 32);
  const auto position = static_cast<int64_t>(*last & UINT32_MAX);
  int64_t taken = 0;
  for (int64_t i = 0; taken < count; ++i) {
    positions[taken] = static_cast<int32_t>(i);
    taken += (ranks[i] < rank ? 1 : 0) | (ranks[i] == rank && i <= position ? 1 : 0);
  }
}

}  // namespace fovea
