// The attention tile: a block of keys seen by one panel of 48 queries, by online softmax.
//
// Queries lie in the lanes, keys and values are read where they lie: a score is
//   s[j, i] = sum_k key[j, k] query[i, k]        (broadcast key[j, k], vector of queries i)
// and the running output, transposed, is
//   acc[c, i] = sum_j value[j, c] p[j, i]        (broadcast value[j, c], vector of queries i)
// so the maximum, the exponential and the sum of a query are vertical operations, no key or value
// is ever packed, keys may be any list of rows, and no head size wastes lanes.
//
// All scores are in units of log2: the queries are packed times scale * log2(e), exp becomes exp2.
//
// Cost for 16 (query, key) pairs with AVX-512: (D + Dv) / 2 cycles of fused multiply-adds, about 6
// for maximum, exponential and sum; loads 11 for every 24 multiply-adds.
#pragma once
#include <cstdint>

#include "kernels/matrix/pack.h"

namespace fovea {

// Most keys of a block: scores of 27 KB, which leave room for values in a first-level cache.
constexpr int kBlockKeys = 144;
// Keys of a register tile, at most: blocks of a multiple of it waste none.
constexpr int kKeyUnit = 8;

// What is added to the scores of a block: a row a query of the bias, in units of e, and of the
// mask, either of them null. A key is hidden, whatever its score, where the bias is -inf or the
// mask 0. Rows behind the last query repeat it; strides along the keys may be 0 or negative.
struct AttendAddend {
  const float* bias[kPanel];
  const uint8_t* mask[kPanel];
  bool hasBias = false, hasMask = false;
  bool shared = false;  // one row serves all queries
  int64_t biasStride = 0, maskStride = 0;
  // AttendTile::addendBytes for panels with the same addends, or null: the first to meet a block
  // brings them into the lanes here, the others find them `brought`.
  uint8_t* lanes = nullptr;
  bool brought = false;
};

// What becomes of the plain scores before that, one of them at least; all in units of log2.
struct ScoreTerms {
  float softcap = 0;                 // > 0: s <- softcap tanh(s / softcap)
  const float* slopes = nullptr;     // [48] ALiBi: s <- s - slope |position - j|
  const float* positions = nullptr;  // [48] relative to the block's first key
};

struct AttendBlock {
  int depth = 0;                            // D
  int valueDepth = 0;                       // Dv
  int keys = 0;                             // 1 .. kBlockKeys
  int queries = 0;                          // 1 .. 48
  const float* panel = nullptr;             // [D][48], by Pack::panel, scaled
  const float* const* keyRows = nullptr;    // [keys] rows of D consecutive floats
  const float* const* valueRows = nullptr;  // [keys] rows of Dv consecutive floats
  // Query i sees the block's keys [begin[i], end[i]); whole numbers, 48 of each (those behind
  // `queries` repeat the last), or null where every query sees every key.
  const float* begin = nullptr;
  const float* end = nullptr;
  const ScoreTerms* terms = nullptr;     // null: none
  const AttendAddend* addend = nullptr;  // null: none
  // Values that are not finite must not reach a query that does not see them: 0 * NaN is NaN.
  bool careful = false;
  // acc holds nothing yet: the first block of queries that see all of it.
  bool fresh = false;
  // Rows of memory to ask for between the products, evenly: what the next blocks will need.
  const float* const* ahead = nullptr;
  int aheadRows = 0;
  int aheadFloats = 0;      // of each
  float* scores = nullptr;  // scratch [kBlockKeys][48], 64-byte aligned
  // State of the 48 queries, carried from block to block.
  float* shift = nullptr;  // [48] what exponents are relative to, near the running maximum
  float* sums = nullptr;   // [48] sum of exp2(s - shift)
  float* acc = nullptr;    // [Dv][48] sum of exp2(s - shift) value
};

struct AttendTile {
  // Advances the state by one block.
  void (*attend)(const AttendBlock& block);
  // The addends of one panel to one block, in the lanes.
  int64_t addendBytes;
};

const AttendTile& attendTile();

}  // namespace fovea
