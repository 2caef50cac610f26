// The keys around a coordinate of one axis, as NATTEN sets them: neighborhood attention.
#pragma once
#include <algorithm>
#include <cstdint>

#include "core/ceilDiv.h"
#include "keysets/band.h"

namespace fovea {

struct NeighborhoodAxis {
  int64_t length = 1;
  int64_t kernel = 1;
  int64_t dilation = 1;
  int64_t stride = 1;
  bool causal = false;

  // Coordinates of equal remainder by the dilation form a sequence of their own; how many there
  // are.
  int64_t steps(int64_t remainder) const { return ceilDiv(length - remainder, dilation); }

  // What step t of such a sequence of `count` sees of it: `kernel` steps around the leader of its
  // stride, moved inward at the ends; under causality the steps up to its own that its leader sees.
  Interval visible(int64_t t, int64_t count) const {
    if (causal) {
      const int64_t leader = std::min(t / stride * stride + stride - 1, count - 1);
      return {std::max<int64_t>(leader - kernel + 1, 0), t + 1};
    }
    const int64_t leader = std::min(t / stride * stride + stride / 2, count - 1);
    const int64_t begin = std::clamp<int64_t>(leader - kernel / 2, 0, count - kernel);
    return {begin, begin + kernel};
  }
};

}  // namespace fovea
