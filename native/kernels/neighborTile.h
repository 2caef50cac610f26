// Attention of neighbouring queries to their windows of neighbours, a query a lane: rows of queries
// that see windows of the same rows of keys. Keys and values are vectors, too, so nothing is
// computed only to be masked away, however few keys a query sees.
//
//   s[r][n] = scale sum_k query[r][k] key[n][k]      p = softmax over n in what row r sees
//   out[r][c] = sum_n p[r][n] value[n][c]            (all of them vectors, lane by lane)
//
// A row of keys is laid out as [depth][column], so that key number e of the windows of all lanes
// lies among two vectors side by side: mostly it is memory as it lies there, shifted. A load
// across two lines of a cache takes 2.3 cycles, a permutation of them half a cycle of the products.
//
// Rows of queries share the rows of keys that they see together: with AVX-512 three rows and seven
// keys make 21 multiply-adds from 5 vectors.
#pragma once
#include <cstdint>

#include "kernels/tokensAhead.h"

namespace fovea {

inline constexpr int kMostNeighborRows = 3;

struct NeighborBlock {
  int depth = 0, valueDepth = 0;
  int rows = 0;     // of queries, 1 .. NeighborTile::rows
  int keyRows = 0;  // of keys
  int window = 0;   // keys of a row that a query sees, at most
  const float* query[kMostNeighborRows] = {};
  int64_t queryStep = 0;
  const float* const* key = nullptr;  // [keyRows]
  int64_t keyStep = 0;
  const float* const* value = nullptr;  // [keyRows]
  int64_t valueStep = 0;
  // Element k of key e of the windows, in a lane: key[row][k * keyStep + e' + from[e - e'][lane]],
  // where e' is e rounded down to a multiple of NeighborTile::keys; from[j] = from[0] + j.
  const int32_t* from = nullptr;
  bool shifted = false;  // from[j][lane] is lane + j
  // Rows of keys that each row sees, at least one; neither begins nor ends decrease from row to
  // row.
  int begin[kMostNeighborRows] = {}, end[kMostNeighborRows] = {};
  float scale = 1;  // includes log2(e)
  // [(end - begin) window] vectors added to the scores of a row, in units of log2; -inf hides a key
  // from a lane. Null for none.
  const float* addend[kMostNeighborRows] = {};
  // Values may be NaN or infinite, and some are hidden by an addend.
  bool careful = false;
  float* scores = nullptr;             // scratch [rows][keyRows window][lanes]
  float* out[kMostNeighborRows] = {};  // [valueDepth] vectors
  int64_t outStep = 0;
  float* lse[kMostNeighborRows] = {};  // a vector, or null
  TokensAhead* ahead = nullptr;        // a part is asked for before every row of keys
};

struct NeighborTile {
  int lanes;
  int rows;   // that a block has at most
  int keys;   // of a window that are taken at a time
  int reach;  // the most that from[0] may be
  void (*attend)(const NeighborBlock& block);
};

const NeighborTile& neighborTile();

}  // namespace fovea
