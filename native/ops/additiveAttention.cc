// Bahdanau's attention; see lib/ops/additiveAttention.ts.
#include "core/registry.h"
#include "engine/attention/additive.h"
#include "engine/attention/scoredAttention.h"
#include "engine/matrix/preparedWeights.h"

namespace fovea {

namespace {

enum Slot {
  kQuery,
  kKey,
  kValue,
  kKeyLengths,
  kOut,
  kAttentionWeights,
  kWq,
  kWk,
  kV,
  kBias,
  kGain
};
enum Param { kNormalize };

AdditiveLayer layerOf(const Call& call) {
  return {call.tensor(kWq), call.tensor(kWk), call.tensor(kV), call.tensor(kBias),
          call.flag(kNormalize) ? call.tensor(kGain) : Tensor{}};
}

void run(const Call& call) {
  const Tensor &key = call.tensor(kKey), &lengths = call.tensor(kKeyLengths);
  const AdditiveLayer layer = layerOf(call);
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const float* packed = packedWeights(call, layer.packedFloats(), scratch,
                                      [&](float* array) { layer.pack(call, array); });
  const Tensor& query = call.tensor(kQuery);
  const AdditiveScores scores(call, layer.at(packed), query, key, scoredOnce(query.shape[1]),
                              scratch);
  ScoredAttention x;
  x.value = call.tensor(kValue);
  x.out = call.tensor(kOut);
  x.weights = call.tensor(kAttentionWeights);
  const auto block = [&](int64_t b, int64_t first, int64_t count, Interval keys, float* to,
                         int64_t stride) { scores.block(b, first, count, keys, to, stride); };
  x.scores = block;
  const auto visible = [&](int64_t b, int64_t) {
    return Interval{0, lengths ? lengths.ints()[b * lengths.strides[0]] : key.shape[1]};
  };
  x.visible = visible;
  attendScored(call, x);
}

double flops(const Call& call) {
  const Tensor &q = call.tensor(kQuery), &k = call.tensor(kKey), &v = call.tensor(kValue);
  const double channels = static_cast<double>(call.tensor(kWq).shape[0]);
  const double pairs = static_cast<double>(q.size() / q.shape[2] * k.shape[1]);
  return 2 * channels * static_cast<double>(q.size() + k.size()) +
         pairs * (30 * channels + 2 * static_cast<double>(v.shape[2]));
}

const Register registered({"additiveAttention", run, flops,
                           [](const Call& call) { return layerOf(call).packedFloats(); },
                           [](const Call& call, float* to) { layerOf(call).pack(call, to); }});

}  // namespace

}  // namespace fovea
