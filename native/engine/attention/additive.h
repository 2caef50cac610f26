// The score of additive attention: s[i, j] = v . tanh(Wq q_i + Wk k_j + b).
#pragma once
#include <cstdint>

#include "core/call.h"
#include "core/scratch.h"
#include "engine/matrix/gemm.h"
#include "keysets/band.h"

namespace fovea {

// What scores are computed from.
struct AdditiveWeights {
  int64_t channels = 0;
  GemmColumns query, key;
  const float* v = nullptr;     // [channels], and a 0 behind an odd number of them
  const float* bias = nullptr;  // [channels] times 2 log2(e), or null
};

// The weights as checkpoints store them, of any strides; packed once, in prepared weights or in the
// scratch of a call.
struct AdditiveLayer {
  Tensor query, key;  // Wq [A, Dq], Wk [A, Dk]
  Tensor v;           // [A]
  Tensor bias;        // [A], or none
  Tensor gain;        // [1]: v becomes gain v / |v|; or none

  int64_t channels() const { return query.shape[0]; }
  int64_t packedFloats() const;
  void pack(const Call& call, float* array) const;
  AdditiveWeights at(const float* packed) const;
};

// Queries and keys of a call, projected. No score is kept; `block` computes those that are asked
// for. Scratch: 4 A B Lq bytes, and 4 A B Lk where scores of a key may be asked for more than once;
// where not (`once`), keys are projected when their scores are asked for, at most kScoredTogether
// at a time, 1152 A bytes a thread: with 512 channels they stay in the second-level cache.
class AdditiveScores {
 public:
  // query [B, Lq, Dq], key [B, Lk, Dk].
  AdditiveScores(const Call& call, const AdditiveWeights& weights, const Tensor& query,
                 const Tensor& key, bool once, Scratch& scratch);

  // to[r * stride + j - keys.begin] for queries first + r of entry b; keys.begin is a multiple of
  // kPanel.
  void block(int64_t b, int64_t first, int64_t count, Interval keys, float* to,
             int64_t stride) const;

 private:
  void projectQueries(const Call& call, const Tensor& query, float* rows) const;
  // Keys [keys.begin, keys.end) of entry b, to where the kernel reads them: 48 side by side,
  // channel by channel.
  void projectKeys(int64_t b, Interval keys, float* panels, Scratch& scratch) const;

  AdditiveWeights weights_;
  Tensor keyTensor_;
  int64_t channels_, queries_, panels_;
  const float *query_, *key_ = nullptr;
};

}  // namespace fovea
