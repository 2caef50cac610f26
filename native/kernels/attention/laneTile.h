// Attention with a problem of its own in every lane: groups of tokens side by side. Keys and values
// are vectors, too, so nothing is computed only to be masked away, however few keys a query sees.
//
//   s[r][n] = scale sum_k query[r][k] key[n][k]      p = softmax over n
//   out[r][c] = sum_n p[r][n] value[n][c]            (all of them vectors, lane by lane)
//
// Element k of a query, key or value is a vector at `row + k * lanes`. Rows of queries share the
// keys, which the first-level cache does not hold: with AVX-512 seven rows and three keys make 21
// multiply-adds from 10 loads, of which three come from further away.
#pragma once
#include <cstdint>

#include "kernels/attention/tokensAhead.h"

namespace fovea {

inline constexpr int kMostLaneRows = 7;
inline constexpr int kMostLanes = 16;

struct LaneBlock {
  int depth = 0, valueDepth = 0;
  int rows = 0;  // 1 .. LaneTile::rows
  int keys = 0;
  const float* query[kMostLaneRows] = {};
  const float* key = nullptr;      // [keys][depth]
  const float* value = nullptr;    // [keys][valueDepth]
  float scale = 1;                 // includes log2(e)
  const float* addend = nullptr;   // [keys] vectors, in units of log2, or null
  float* scores = nullptr;         // scratch [rows][keys]
  float* out[kMostLaneRows] = {};  // [valueDepth]
  TokensAhead* ahead = nullptr;    // a part is asked for behind every tile
};

struct LaneTile {
  int lanes;
  int rows;      // that a block has at most
  int together;  // keys, or columns of values, of a tile
  void (*attend)(const LaneBlock& block);
  // vectors[k * step + lane] = rows[lane][offset + k * inner] for k < depth, and back. Lanes whose
  // row is null get zeros, and are not written.
  void (*gather)(const float* const* rows, int64_t offset, int64_t inner, int64_t depth,
                 float* vectors, int64_t step);
  void (*scatter)(const float* vectors, int64_t step, int64_t depth, float* const* rows,
                  int64_t offset, int64_t inner);
};

const LaneTile& laneTile();

}  // namespace fovea
