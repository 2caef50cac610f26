// The keys around a query's position: causal attention, sliding windows, key lengths.
#pragma once
#include <algorithm>
#include <cstdint>

namespace fovea {

struct Interval {
  int64_t begin = 0, end = 0;
};

struct Band {
  bool causal = false;
  int64_t left = -1;   // keys before the position, -1 for all
  int64_t right = -1;  // keys behind it, -1 for all

  // Keys that a query at `position` (which may lie outside) sees among [0, keys).
  Interval visible(int64_t position, int64_t keys) const {
    const int64_t begin = left < 0 ? 0 : std::max<int64_t>(0, position - left);
    int64_t end = keys;
    if (causal) end = std::min(end, position + 1);
    if (right >= 0) end = std::min(end, position + right + 1);
    return end > begin ? Interval{begin, end} : Interval{};
  }
};

}  // namespace fovea
