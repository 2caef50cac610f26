// The decoding tile: a block of keys seen by at most 8 queries, which leave most lanes of the
// attention tile empty. The head dimension lies in the lanes instead:
//   s[r, j] = sum_k query[r, k] key[j, k],    acc[r, c] = sum_j p[r, j] value[j, c]
// Every key and value is read once, in the order in which they lie, for all the queries together,
// and the next block is prefetched meanwhile: the cost is that of reading K and V.
//
// Scores are in units of log2, as in attendTile.h.
#pragma once
#include <cstdint>

namespace fovea {

constexpr int kDecodeRows = 8;   // most queries
constexpr int kDecodeKeys = 32;  // keys of a block: with D = 128 16 KB, so that V stays first-level
constexpr int kDecodeLanes = 16;  // lanes of the widest instruction set: rows are padded to these

constexpr int64_t padded(int64_t width) {
  return (width + kDecodeLanes - 1) / kDecodeLanes * kDecodeLanes;
}

struct DecodeBlock {
  int depth = 0, valueDepth = 0;
  int keys = 0;                             // 1 .. kDecodeKeys
  int rows = 0;                             // 1 .. kDecodeRows
  const float* queries = nullptr;           // [rows][padded(D)], scaled, zeros behind D
  const float* const* keyRows = nullptr;    // [keys]
  const float* const* valueRows = nullptr;  // [keys]
  const float* const* nextKeys = nullptr;   // the block after this one, kDecodeKeys rows, or null
  const float* const* nextValues = nullptr;
  const int* begin = nullptr;  // row r sees the keys [begin[r], end[r]) of the block
  const int* end = nullptr;
  float softcap = 0;                 // the terms of attendTile.h
  const float* addend = nullptr;     // [rows][kDecodeKeys] or null; -inf hides
  const float* slopes = nullptr;     // [rows] or null
  const float* positions = nullptr;  // [rows], relative to the block's first key
  bool careful = false;              // values may be NaN or infinite where they are hidden
  float* shift = nullptr;            // [rows]
  float* sums = nullptr;             // [rows][kDecodeLanes] partial sums
  float* acc = nullptr;              // [rows][padded(Dv)]
};

struct DecodeTile {
  void (*attend)(const DecodeBlock& block);
  // Joins `parts` states of one row, in order, into the first: shift and acc lie `stride` floats
  // apart from part to part, sums become one number in sums[0].
  void (*merge)(float* shift, float* sums, float* acc, int parts, int64_t stride, int valueDepth);
};

const DecodeTile& decodeTile();

}  // namespace fovea
