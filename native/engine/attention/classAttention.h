// Class attention: of all tokens of a batch entry only the first one asks, of all of them.
//   q = Wq x_0 + bq,   p_h = softmax_j(q_h . (Wk x_j + bk)_h / sqrt(D)),   out_h = sum_j p_hj (Wv
//   x_j + bv)_h
//
// No key and no value is computed. A head's score of token j is (Wk_h^T q_h) . x_j plus q_h . bk_h,
// which is the same for every token and leaves the softmax as it is; and a mean of values is the
// value of the mean, Wv_h (sum_j p_hj x_j) + bv_h. So the tokens themselves are keys and values,
// and a token costs 4 H C operations instead of 4 C^2.
#pragma once
#include <cstdint>

#include "core/call.h"
#include "engine/matrix/weightPack.h"

namespace fovea {

// Slots of the weights, counted from the first of them.
enum ClassSlot {
  kClassQueryWeight,
  kClassQueryBias,
  kClassKeyWeight,
  kClassKeyBias,
  kClassValueWeight,
  kClassValueBias
};

// The weights of slots [first, last], those of class attention from slot `own` on.
WeightPack classPack(const Call& call, int first, int last, int own, int64_t heads);

// The heads of every batch entry side by side, to joined [B, C], for tokens [B, L, C].
// Scratch: 4 C (1 + 2 H) B bytes, and that of attention.
void classAttention(const Call& call, const WeightPack& weights, const float* packed, int own,
                    int64_t heads, const Tensor& tokens, float* joined);

}  // namespace fovea
