// torch.nn.MultiheadAttention; see lib/ops/multiHeadAttention.ts.
#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "core/registry.h"
#include "engine/attention/attendHeads.h"
#include "engine/attention/softmaxWeights.h"
#include "engine/matrix/weightPack.h"

namespace fovea {

namespace {

enum Slot {
  kQuery,
  kKey,
  kValue,
  kKeyLengths,
  kOut,
  kAttentionWeights,
  kInProjWeight,
  kOutProjWeight,
  kInProjBias,
  kOutProjBias
};
enum Param { kHeads, kCausal };

WeightPack packOf(const Call& call) {
  return WeightPack(call, kInProjWeight, kOutProjBias, {{kInProjWeight, 3}});
}

Interval visible(const Call& call, int64_t b, int64_t i, int64_t keys) {
  const Tensor& lengths = call.tensor(kKeyLengths);
  const int64_t length = lengths ? lengths.ints()[b * lengths.strides[0]] : keys;
  return Band{call.flag(kCausal), -1, -1}.visible(i, length);
}

// The mean over the heads of the softmax, some rows a task.
void meanWeights(const Call& call, const ProjectedHeads& x) {
  constexpr int64_t kRows = 48;
  const Tensor& to = call.tensor(kAttentionWeights);
  const int64_t queries = x.query.length, keys = x.key.length;
  const int64_t tasks = ceilDiv(queries, kRows);
  parallelFor(call, x.batch * tasks, [&](int64_t index, Scratch& scratch) {
    const int64_t b = index / tasks, first = index % tasks * kRows;
    const int64_t count = std::min(kRows, queries - first);
    float* one = scratch.floats(count * keys);
    float* mean = scratch.floats(count * keys);
    std::fill(mean, mean + count * keys, 0.0f);
    for (int64_t h = 0; h < x.heads; ++h) {
      const auto seen = [&](int64_t i) { return visible(call, b, i, keys); };
      const SoftmaxWeights s{
          keys, x.depth, x.query.head(b, h, x.depth), x.key.head(b, h, x.depth), x.scale(), seen};
      softmaxWeights(s, first, count, one, scratch);
      for (int64_t n = 0; n < count * keys; ++n) mean[n] += one[n];
    }
    const float share = 1 / static_cast<float>(x.heads);
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < keys; ++j)
        to.floats()[b * to.strides[0] + (first + i) * to.strides[1] + j * to.strides[2]] =
            mean[i * keys + j] * share;
  });
}

void run(const Call& call) {
  const Tensor& q = call.tensor(kQuery);
  const int64_t batch = q.shape[0], width = q.shape[2], heads = call.integer(kHeads);
  const int64_t keys = call.tensor(kKey).shape[1];
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const WeightPack weights = packOf(call);
  const float* packed = weights.provide(scratch);
  ProjectedHeads x{batch, heads, width / heads, {}, {}, {}};
  ProjectedRows* to[] = {&x.query, &x.key, &x.value};
  for (int part = 0; part < 3; ++part) {
    const Tensor& from = call.tensor(kQuery + part);
    const int64_t rows = batch * from.shape[1];
    *to[part] = {scratch.floats(rows * width), from.shape[1], width};
    const LinearMap in = weights.map(packed, kInProjWeight, kInProjBias, part);
    gemm(call, in.problem(rows, MatrixRows(from), MatrixRows(to[part]->data, width, 1)));
  }
  const int64_t rows = batch * q.shape[1];
  const ProjectedRows joined{scratch.floats(rows * width), q.shape[1], width};
  attendHeads(call, x, joined, [&](int64_t b, int64_t i) { return visible(call, b, i, keys); });
  const LinearMap out = weights.map(packed, kOutProjWeight, kOutProjBias);
  gemm(call, out.problem(rows, MatrixRows(joined.data, width, 1), MatrixRows(call.tensor(kOut))));
  if (call.tensor(kAttentionWeights)) meanWeights(call, x);
}

double flops(const Call& call) {
  const Tensor &q = call.tensor(kQuery), &k = call.tensor(kKey);
  const double width = static_cast<double>(q.shape[2]), keys = static_cast<double>(k.shape[1]);
  const double queries = static_cast<double>(q.shape[1]);
  return static_cast<double>(q.shape[0]) * width *
         (4 * width * (queries + keys) + 4 * queries * keys);
}

const Register registered({"multiHeadAttention", run, flops, Packed<packOf>::floats,
                           Packed<packOf>::pack});

}  // namespace

}  // namespace fovea
