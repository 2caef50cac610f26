// Windows of neighbours with queries in the lanes: neighbouring queries of a row see windows that
// begin beside each other, so a vector of keys is a row of the map, shifted; where windows are
// moved inward, or lead by strides, it is picked from two vectors. Nothing is computed in vain but
// where causality hides keys from some lanes, and in the last lanes of a row.
//
// A tile is some rows and columns of queries of some heads. Three rows of queries at a time share
// the keys that they see together. A row of keys is laid out once, as [head][depth][column], when
// the first query comes that sees it, and its place taken when the last one has gone. What the next
// rows of queries need is asked for between the products.
#pragma once
#include <cstdint>

#include "core/call.h"
#include "core/functionRef.h"
#include "core/scratch.h"
#include "keysets/neighborhood.h"

namespace fovea {

// Three axes, leading ones of a single step where the map has fewer.
struct Lattice {
  static constexpr int kAxes = 3;
  NeighborhoodAxis axis[kAxes];  // of dilation 1: neighbours lie side by side
};

// Queries, keys, values or results on a lattice.
struct LatticeMap {
  float* data = nullptr;
  int64_t strides[Lattice::kAxes] = {};
  int64_t head = 0, inner = 1;

  float* at(int64_t h, int64_t z, int64_t y, int64_t x) const {
    return data + h * head + z * strides[0] + y * strides[1] + x * strides[2];
  }
};

struct LatticeProblem {
  Lattice lattice;
  int64_t heads = 1;
  int64_t depth = 0, valueDepth = 0;
  LatticeMap query, key, value, out;
  LatticeMap lse;   // or no data
  LatticeMap bias;  // by distances of -(kernel - 1) .. kernel - 1, data at the first; or no data
  float scale = 1;
};

// Keys of a window that the lanes serve; larger ones fill panels of queries well enough.
inline constexpr int64_t kMostLaneKeys = 256;

// All problems of a call, `steps` the most that any has along each axis. Scratch a thread: the
// kernel + stride + 1 rows of keys and values that three rows of queries see, of up to 128 columns
// and the window around them, in as many heads as 0.4 MB hold, one at least; three rows of queries
// and results; and the scores of three vectors of queries.
void attendLattices(const Call& call, int64_t problems, const int64_t (&steps)[Lattice::kAxes],
                    FunctionRef<LatticeProblem(int64_t index)> problemOf);

}  // namespace fovea
