// Attention with a problem of its own in every lane: neighbouring queries, each with keys at the
// same distances, or groups of tokens side by side. Keys and values are vectors, too, so nothing is
// computed only to be masked away, however few keys a query sees.
//
//   s[r][n] = scale sum_k query[r][k] key[n][k]      p = softmax over n in [begin[r], end[r])
//   out[r][c] = sum_n p[r][n] value[n][c]            (all of them vectors, lane by lane)
//
// Element k of a query, key or value is a vector at `row + k * step`, at any alignment: keys of a
// map that lie beside each other in memory are the same memory, loaded shifted.
//
// Rows share the keys that they see together: with AVX-512 three rows and seven keys make 21
// multiply-adds from 10 loads, three rows and eight columns of values 24 from 11. Seven rows that
// all see the same keys read them less than half as often.
#pragma once
#include <cstdint>

namespace fovea {

inline constexpr int kMostLaneRows = 7;
inline constexpr int kMostLanes = 16;

struct LaneBlock {
  int depth = 0, valueDepth = 0;
  int rows = 0;  // 1 .. LaneTile::rows, or wholeRows
  int keys = 0;
  const float* query[kMostLaneRows] = {};
  int64_t queryStep = 0;
  const float* const* key = nullptr;  // [keys]
  int64_t keyStep = 0;
  const float* const* value = nullptr;  // [keys]
  int64_t valueStep = 0;
  // What each row sees, at least one key; neither begins nor ends decrease from row to row.
  int begin[kMostLaneRows] = {}, end[kMostLaneRows] = {};
  float scale = 1;  // includes log2(e)
  // [end - begin] vectors added to the scores of a row, in units of log2; -inf hides a key from a
  // lane. Null for none.
  const float* const* addend[kMostLaneRows] = {};
  // Values may be NaN or infinite, and some are hidden by an addend.
  bool careful = false;
  float* scores = nullptr;         // scratch [rows][keys][lanes]
  float* out[kMostLaneRows] = {};  // [valueDepth] vectors
  int64_t outStep = 0;
  float* lse[kMostLaneRows] = {};  // a vector, or null
};

struct LaneTile {
  int lanes;
  int rows, wholeRows;  // that a block has at most
  void (*attend)(const LaneBlock& block);
  // Where all rows see all keys.
  void (*attendWhole)(const LaneBlock& block);
  // vectors[k][lane] = rows[lane][k * step], for every lane, and back for the first `count`.
  void (*gather)(const float* const* rows, int64_t step, int64_t depth, float* vectors);
  void (*scatter)(const float* vectors, int64_t depth, int count, float* const* rows, int64_t step);
};

const LaneTile& laneTile();

}  // namespace fovea
