// Bahdanau's attention; see lib/ops/additiveAttention.ts.
#include "core/registry.h"
#include "engine/additive.h"
#include "engine/preparedWeights.h"
#include "engine/scoredAttention.h"

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

AdditiveLayer layerOf(const Call& c) {
  return {c.tensor(kWq), c.tensor(kWk), c.tensor(kV), c.tensor(kBias),
          c.flag(kNormalize) ? c.tensor(kGain) : Tensor{}};
}

void run(const Call& c) {
  const Tensor &key = c.tensor(kKey), &lengths = c.tensor(kKeyLengths);
  const AdditiveLayer layer = layerOf(c);
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const float* packed =
      packedWeights(c, layer.packedFloats(), scratch, [&](float* array) { layer.pack(c, array); });
  const Tensor& query = c.tensor(kQuery);
  const AdditiveScores scores(c, layer.at(packed), query, key, scoredOnce(query.shape[1]), scratch);
  ScoredAttention x;
  x.value = c.tensor(kValue);
  x.out = c.tensor(kOut);
  x.weights = c.tensor(kAttentionWeights);
  const auto block = [&](int64_t b, int64_t first, int64_t count, Interval keys, float* to,
                         int64_t stride) { scores.block(b, first, count, keys, to, stride); };
  x.scores = block;
  const auto visible = [&](int64_t b, int64_t) {
    return Interval{0, lengths ? lengths.ints()[b * lengths.strides[0]] : key.shape[1]};
  };
  x.visible = visible;
  attendScored(c, x);
}

double flops(const Call& c) {
  const Tensor &q = c.tensor(kQuery), &k = c.tensor(kKey), &v = c.tensor(kValue);
  const double channels = static_cast<double>(c.tensor(kWq).shape[0]);
  const double pairs = static_cast<double>(q.size() / q.shape[2] * k.shape[1]);
  return 2 * channels * static_cast<double>(q.size() + k.size()) +
         pairs * (30 * channels + 2 * static_cast<double>(v.shape[2]));
}

const Register registered({"additiveAttention", run, flops,
                           [](const Call& c) { return layerOf(c).packedFloats(); },
                           [](const Call& c, float* to) { layerOf(c).pack(c, to); }});

}  // namespace

}  // namespace fovea
