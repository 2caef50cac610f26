// Attention of the queries of a row to their windows of neighbours, a row of its own in every lane.
// Keys and values are vectors, too, so nothing is computed only to be masked away, however few keys
// a query sees.
//
//   s[x][n] = scale sum_k query[x][k] key[n][k]      p = softmax over n in the window of query x
//   out[x][c] = sum_n p[x][n] value[n][c]            (all of them vectors, lane by lane)
//
// A window has the same `window` positions of every row of keys. Neighbouring queries share most of
// them, or all: with AVX-512 three queries make 21 multiply-adds of scores from 12 loads and five
// make 25 of values from 10, all of whole lines.
#pragma once
#include <cstdint>

#include "kernels/attention/tokensAhead.h"

namespace fovea {

struct NeighborBlock {
  int depth = 0, valueDepth = 0;
  int positions = 0;  // of queries
  int keyRows = 0;
  // The window of query x begins at position x - x % stride of each row of keys. If it grows, query
  // x misses the last stride - 1 - x % stride of its positions.
  int window = 0, stride = 1;
  bool grows = false;
  // Vectors: element k of a query or key at k * step, channel c of a value or result at c; the next
  // position lies one vector further, or a step.
  const float* query = nullptr;
  int64_t queryStep = 0;
  const float* const* key = nullptr;  // [keyRows]
  int64_t keyStep = 0;
  const float* const* value = nullptr;  // [keyRows]
  int64_t valueStep = 0;
  float scale = 1;  // includes log2(e)
  // Added to the scores, in units of log2; -inf hides a key from a lane. Null for none.
  const float* addend = nullptr;  // [positions][keyRows][window]
  float* scores = nullptr;        // scratch [positions][keyRows][window]
  float* shares = nullptr;        // scratch [positions]
  float* out = nullptr;           // [positions][valueDepth]
  int64_t outStep = 0;
  float* lse = nullptr;          // [positions], or null
  TokensAhead* ahead = nullptr;  // a part is asked for behind every tile
};

struct NeighborTile {
  int lanes;
  void (*attend)(const NeighborBlock& block);
  int64_t (*asks)(const NeighborBlock& block);  // about how often a block asks for what is ahead
};

const NeighborTile& neighborTile();

}  // namespace fovea
