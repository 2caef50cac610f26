// The inner products of every convolution. A step k of a sum is an input channel under one tap of
// the kernel, which reads the map wherever the tap has shifted it to: no patch is ever copied.
// Steps are taken in ascending order, one fused multiply-add each, so the bits of an element depend
// neither on those beside it nor on which of the two products computes it, and a sum cut into runs
// of k that continue from stored sums gives the bits of the whole.
#pragma once
#include <cstdint>

#include "kernels/matrix/pack.h"

namespace fovea {

// Positions in the lanes, weights broadcast: for kStrip output channels at consecutive positions
//   sums[r, p] = sum_k weights[k, r] map[offsets[k] + p]        r < rows, p < positions
struct ConvBlock {
  const float* map;
  const int64_t* offsets;  // [depth]
  const float* weights;    // [depth][weightStep], columns from `rows` on are 0
  int64_t weightStep;      // kStrip, or kColumn of whose columns these are a half
  int64_t depth;
  int rows;  // 1 .. kStrip
  int64_t
      positions;  // rounded up to whole vectors (at most 16 lanes) in all that is read and written
  float* sums;    // [1, 2, 4 or 8, whichever holds the rows][pitch]
  int64_t pitch;
  bool resume;  // continue from `sums` instead of 0
  // Lines of memory that are asked for meanwhile, at most one with every step.
  const float* const* ahead = nullptr;
  int64_t aheadLines = 0;
};

// Output channels in the lanes, the map broadcast: for any positions
//   sums[p, c] = sum_k weights[c, k] map[offsets[k] + places[p]]  p < positions, c < columns
//   kColumn
struct ConvColumns {
  const float* map;
  const int64_t* offsets;  // [depth]
  const int64_t* places;   // [positions rounded up to a multiple of kPlaces]
  int64_t positions;
  const float* weights;  // [columns][weightPitch], of each [depth][kColumn]; at a cache line
  int64_t weightPitch;
  int64_t depth;
  int columns;
  float* sums;  // [positions rounded up to a multiple of kPlaces][pitch]
  int64_t pitch;
  bool resume;  // continue from `sums` instead of 0
  // Lines of memory that are asked for meanwhile, some with every tile.
  const float* const* ahead;
  int64_t aheadLines;
};

// One output channel, under taps whose rows follow each other, as in a depthwise convolution:
//   sums[y, x] = sum_s sum_r sum_k weights[s, r, k] map[s * slicePitch + (y + r) * mapPitch +
//   offsets[0, k] + x] y < rows, x < columns, r < kernelRows, k < kernelColumns
struct ConvRows {
  const float* map;
  int64_t mapPitch;
  int64_t slices, slicePitch;  // one for each input channel and depth of the kernel
  const int64_t* offsets;      // [kernelRows][kernelColumns], rows at mapPitch
  int64_t kernelRows, kernelColumns;
  const float* weights;  // the first of each kStrip
  int64_t rows;
  int64_t columns;  // rounded up to whole vectors (at most 16 lanes) in what is read
  float* sums;
  int64_t pitch;
  bool resume;  // continue from `sums` instead of 0
};

struct ConvTile {
  // 12 cycles a step of k for 48 positions and 8 rows with AVX-512: 24 multiply-adds, 12 loads of
  // which 3 may straddle two lines, as they do under taps that are shifted along a row.
  void (*multiply)(const ConvBlock&);
  // 12 cycles a step of k for 6 positions and 4 columns with AVX-512: 24 multiply-adds and 11
  // loads, none of which straddles two lines.
  void (*multiplyColumns)(const ConvColumns&);
  // 8 cycles a tap for 4 rows of 64 positions with AVX-512: 16 multiply-adds and, of a row that
  // serves up to 4 rows of taps, 4 loads that may straddle two lines and 4 broadcasts.
  void (*multiplyRows)(const ConvRows&);
};

inline constexpr int kPlaces = 24;  // a multiple of the positions of every tile

const ConvTile& convTile();

}  // namespace fovea
