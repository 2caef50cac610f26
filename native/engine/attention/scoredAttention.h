// Attention of one head by scores that are no product of queries and keys: whoever computes them is
// asked for a few at a time, and they enter the attention engine as the bias of empty queries.
#pragma once
#include <cstdint>

#include "core/call.h"
#include "core/functionRef.h"
#include "keysets/band.h"

namespace fovea {

struct ScoredAttention {
  Tensor value;    // [B, Lk, Dv]
  Tensor out;      // [B, Lq, Dv]
  Tensor weights;  // [B, Lq, Lk], or absent
  // to[r * stride + j - keys.begin] for queries first + r of entry b; keys.begin is a multiple
  // of 48.
  FunctionRef<void(int64_t b, int64_t first, int64_t count, Interval keys, float* to,
                   int64_t stride)>
      scores;
  FunctionRef<Interval(int64_t b, int64_t i)> visible;
};

// Whether scores of a key are asked for once: all queries of an entry together, for at most
// kScoredTogether keys at a time.
bool scoredOnce(int64_t queries);
constexpr int64_t kScoredTogether = 288;

// Scratch: 48 x 1920 scores a thread beside that of attention; 48 Lk where weights are asked for,
// and 8 B Lk in all where there are at most 8 queries.
void attendScored(const Call& call, const ScoredAttention& x);

}  // namespace fovea
