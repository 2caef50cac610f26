// The decoding tile: a block of keys seen by at most 8 queries, which leave most lanes of the
// attention tile empty. The head dimension lies in the lanes instead:
//   s[r, j] = sum_k query[r, k] key[j, k],    acc[r, c] = sum_j p[r, j] value[j, c]
// Every key and value is read once, in the order in which they lie, for all the queries together,
// and those to come are asked for meanwhile: the cost is that of reading K and V.
//
// Scores are in units of log2, as in attendTile.h.
#pragma once
#include <bit>
#include <cstdint>

#include "core/tensor.h"

namespace fovea {

constexpr int kDecodeRows = 8;  // most queries
// Keys of a block: with D = 128 two blocks of keys and values, 32 KB, lie in a first-level cache.
constexpr int kDecodeKeys = 16;
constexpr int kDecodeLanes = 16;  // lanes of the widest instruction set: rows are padded to these

constexpr int64_t padded(int64_t width) {
  return (width + kDecodeLanes - 1) / kDecodeLanes * kDecodeLanes;
}

// Rows as the kernel works on them, a power of two.
constexpr int paddedRows(int rows) {
  return static_cast<int>(std::bit_ceil(static_cast<unsigned>(rows)));
}

struct DecodeBlock {
  int depth = 0, valueDepth = 0;
  int keys = 0;                                                    // 1 .. kDecodeKeys
  int rows = 0;                                                    // 1 .. kDecodeRows
  Dtype keyDtype = Dtype::kFloat32, valueDtype = Dtype::kFloat32;  // floats, of 32 or 16 bits
  const void* const* keyRows = nullptr;                            // [keys]
  const void* const* valueRows = nullptr;
  const void* const* nextKeys = nullptr;  // [keys] rows to ask for: of the next block, say
  const void* const* nextValues = nullptr;
  const void* const* laterKeys = nullptr;  // and of others that come later
  const void* const* laterValues = nullptr;
  // Below, rows is paddedRows(rows), all of which must be there; what those behind the last hold is
  // of no account. Row r sees the keys [begin[r], end[r]) of the block.
  const float* queries =
      nullptr;                 // [padded(D) / kDecodeLanes][rows][kDecodeLanes], scaled, 0 behind D
  const int* begin = nullptr;  // null: every row sees kDecodeKeys keys, and there are no terms
  const int* end = nullptr;
  float softcap = 0;                 // the terms of attendTile.h
  const float* addend = nullptr;     // [keys][rows] or null; -inf hides
  const float* slopes = nullptr;     // [rows] or null
  const float* positions = nullptr;  // [rows], relative to the block's first key
  bool hides = false;                // a row does not see all keys; their values may be anything
  float* shift = nullptr;  // [kDecodeLanes] of row i % rows each; -inf before its first key
  float* sums = nullptr;   // [kDecodeLanes] parts of row i % rows
  float* acc = nullptr;    // [rows][padded(Dv)]
};

struct DecodeTile {
  void (*attend)(const DecodeBlock& block);
  // Joins `parts` states of one row, in order, into the first: shift and acc lie `stride` floats
  // apart from part to part, and so do the sums.
  void (*merge)(float* shift, float* sums, float* acc, int parts, int64_t stride, int valueDepth);
};

const DecodeTile& decodeTile();

}  // namespace fovea
