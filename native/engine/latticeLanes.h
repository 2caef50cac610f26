// Windows of neighbours with queries in the lanes: neighbouring queries of a row see keys at the
// same distances from them, so a vector of keys is a row of the map loaded shifted. Away from the
// borders nothing is computed in vain; where windows are moved inward, or lead by strides, a vector
// meets every distance that one of its queries needs, hidden from the others.
//
// A tile is some rows and columns of queries. Its keys and values are transposed once, to
// [row][depth][column]; three rows of queries at a time then share the keys that they see together.
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
  int64_t inner = 1;

  float* at(int64_t z, int64_t y, int64_t x) const {
    return data + z * strides[0] + y * strides[1] + x * strides[2];
  }
};

struct LatticeProblem {
  Lattice lattice;
  int64_t depth = 0, valueDepth = 0;
  LatticeMap query, key, value, out;
  LatticeMap lse;   // or no data
  LatticeMap bias;  // by distances of -(kernel - 1) .. kernel - 1, data at the first; or no data
  float scale = 1;
};

// Keys of a window that the lanes serve; larger ones fill panels of queries well enough.
inline constexpr int64_t kMostLaneKeys = 256;

// All problems of a call, `steps` the most that any has along each axis. Scratch a thread: a tile
// of keys and values, at most 0.5 MB or 16 rows of them, and the scores of three vectors of
// queries.
void attendLattices(const Call& call, int64_t problems, const int64_t (&steps)[Lattice::kAxes],
                    FunctionRef<LatticeProblem(int64_t index)> problemOf);

}  // namespace fovea
