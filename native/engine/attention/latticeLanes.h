// Windows of neighbours on a lattice, segments of its rows in the lanes: a vector holds what stands
// at one position of every lane's segment, so the windows of neighbouring queries are neighbouring
// vectors, all lanes take the same steps, and every load is of whole lines. Lanes are heads, batch
// entries, remainders by a dilation, and as many segments of a row as fill the rest.
//
//   position  -2 -1  0  1  2  3  4  5     columns of segments of 4, kernel 5: those of a lane's
//   lane 0     3  4  0  1  2  3  4  5     neighbours are laid out in it, too
//   lane 1     2  3  4  5  6  7  8  9
//
// At the ends of a row windows move inward. A row of keys continues there with the period of the
// kernel: at position -1 stands column kernel - 1, which the windows there miss on the other side.
// So every window is the `kernel` positions around its query, and nothing is masked. Under
// causality there are zeros before the row instead, and an addend that hides them.
//
// A row of keys is laid out once, when the first query comes that sees it, and its place taken when
// the last one has gone. Where results go is asked for between the products.
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

// Queries, keys, values or results of a head on a lattice.
struct LatticeMap {
  void* data = nullptr;
  Dtype dtype = Dtype::kFloat32;
  int64_t strides[Lattice::kAxes] = {};
  int64_t inner = 1;

  int64_t offset(int64_t z, int64_t y) const { return z * strides[0] + y * strides[1]; }
};

struct LatticeHead {
  LatticeMap query, key, value, out;
  LatticeMap lse;   // or no data
  LatticeMap bias;  // by distances of -(kernel - 1) .. kernel - 1, data at the first; or no data
};

// Heads on lattices of one shape; their maps differ in where they begin alone. Of every `together`
// heads in a row tokens are neighbours.
struct LatticeProblem {
  Lattice lattice;
  int64_t heads = 0, together = 1;
  int64_t depth = 0, valueDepth = 0;
  float scale = 1;
  FunctionRef<LatticeHead(int64_t head)> headOf;
};

// Keys of a window that the lanes serve; larger ones fill panels of queries well enough.
inline constexpr int64_t kMostLaneKeys = 256;

// Scratch a thread: the rows of keys and values that a row of queries sees, scores, queries and
// results, 1 MB where segments of a stride do not need more.
void attendLattice(const Call& call, const LatticeProblem& problem);

}  // namespace fovea
