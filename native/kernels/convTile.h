// The inner product of every convolution: kStrip output channels at consecutive positions.
//   sums[r, p] = sum_k weights[k, r] map[offsets[k] + p]        r < rows, p < positions
// Positions lie in the lanes and weights are broadcast, so a step k of the sum, which is an input
// channel under one tap of the kernel, reads the map with plain loads wherever the tap has shifted
// them to: no patch is ever copied. Steps are taken in ascending order, one fused multiply-add
// each, so the bits of an element do not depend on the positions beside it, and a sum cut into runs
// of k that continue from stored sums gives the bits of the whole.
#pragma once
#include <cstdint>

#include "kernels/pack.h"

namespace fovea {

struct ConvBlock {
  const float* map;
  const int64_t* offsets;  // [depth]
  const float* weights;    // [depth][kStrip], columns from `rows` on are 0
  int64_t depth;
  int rows;  // 1 .. kStrip
  int64_t
      positions;  // rounded up to whole vectors (at most 16 lanes) in all that is read and written
  float* sums;    // [1, 2, 4 or 8, whichever holds the rows][pitch]
  int64_t pitch;
  bool resume;  // continue from `sums` instead of 0
};

struct ConvTile {
  // 12 cycles a step of k for 48 positions and 8 rows with AVX-512: 24 multiply-adds, 12 loads of
  // which 3 may straddle two lines.
  void (*multiply)(const ConvBlock&);
};

const ConvTile& convTile();

}  // namespace fovea
