// torch.nn.MultiheadAttention; see lib/ops/multiHeadAttention.ts.
#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "core/registry.h"
#include "engine/attend.h"
#include "engine/softmaxWeights.h"
#include "engine/weightPack.h"

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

WeightPack packOf(const Call& c) {
  return WeightPack(c, kInProjWeight, kOutProjBias, {{kInProjWeight, 3}});
}

// The projected queries, keys and values [B, L, E], contiguous; head h is columns h D .. (h + 1) D
// - 1.
struct Heads {
  float *q, *k, *v;
  int64_t batch, queries, keys, width, heads;
  int64_t depth() const { return width / heads; }
  float scale() const { return static_cast<float>(1 / std::sqrt(static_cast<double>(depth()))); }
  MatrixRows of(float* projected, int64_t length, int64_t b, int64_t h) const {
    return MatrixRows(projected + b * length * width + h * depth(), width, 1);
  }
};

Interval visible(const Call& c, int64_t b, int64_t i, int64_t keys) {
  const Tensor& lengths = c.tensor(kKeyLengths);
  const int64_t length = lengths ? lengths.ints()[b * lengths.strides[0]] : keys;
  return Band{c.flag(kCausal), -1, -1}.visible(i, length);
}

void attendHeads(const Call& c, const Heads& x, float* out) {
  const int64_t depth = x.depth();
  const AttendExtent extent{x.batch * x.heads, x.queries, x.keys, depth, depth};
  attend(c, extent, [&](int64_t index, FunctionRef<void(const AttendProblem&)> work) {
    const int64_t b = index / x.heads, h = index % x.heads;
    AttendProblem p;
    p.rows = x.queries;
    p.depth = p.valueDepth = static_cast<int>(depth);
    p.segments[0] = {x.keys,
                     {x.of(x.k, x.keys, b, h).row(0), x.width, 1},
                     {x.of(x.v, x.keys, b, h).row(0), x.width, 1}};
    p.scale = x.scale();
    const auto describe = [&](int64_t i, QueryRow& r) {
      r.query = x.of(x.q, x.queries, b, h).row(i);
      r.out = x.of(out, x.queries, b, h).row(i);
      r.visible[0] = visible(c, b, i, x.keys);
    };
    p.describe = describe;
    work(p);
  });
}

// The mean over the heads of the softmax, some rows a task.
void meanWeights(const Call& c, const Heads& x) {
  constexpr int64_t kRows = 48;
  const Tensor& to = c.tensor(kAttentionWeights);
  const int64_t tasks = (x.queries + kRows - 1) / kRows;
  parallelFor(c, x.batch * tasks, [&](int64_t index, Scratch& scratch) {
    const int64_t b = index / tasks, first = index % tasks * kRows;
    const int64_t count = std::min(kRows, x.queries - first);
    float* one = scratch.floats(count * x.keys);
    float* mean = scratch.floats(count * x.keys);
    std::fill(mean, mean + count * x.keys, 0.0f);
    for (int64_t h = 0; h < x.heads; ++h) {
      const auto seen = [&](int64_t i) { return visible(c, b, i, x.keys); };
      const SoftmaxWeights s{
          x.keys, x.depth(), x.of(x.q, x.queries, b, h), x.of(x.k, x.keys, b, h), x.scale(), seen};
      softmaxWeights(s, first, count, one, scratch);
      for (int64_t n = 0; n < count * x.keys; ++n) mean[n] += one[n];
    }
    const float share = 1 / static_cast<float>(x.heads);
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < x.keys; ++j)
        to.floats()[b * to.strides[0] + (first + i) * to.strides[1] + j * to.strides[2]] =
            mean[i * x.keys + j] * share;
  });
}

void run(const Call& c) {
  const Tensor &q = c.tensor(kQuery), &k = c.tensor(kKey);
  Heads x{nullptr,    nullptr,    nullptr,    q.shape[0],
          q.shape[1], k.shape[1], q.shape[2], c.integer(kHeads)};
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const WeightPack weights = packOf(c);
  const float* packed = weights.provide(scratch);
  float** to[] = {&x.q, &x.k, &x.v};
  for (int part = 0; part < 3; ++part) {
    const Tensor& from = c.tensor(kQuery + part);
    const int64_t rows = from.shape[0] * from.shape[1];
    *to[part] = scratch.floats(rows * x.width);
    const LinearMap in(weights, packed, c, kInProjWeight, kInProjBias, part, 3);
    gemm(c, in.problem(rows, MatrixRows(from), MatrixRows(*to[part], x.width, 1)));
  }
  const int64_t rows = x.batch * x.queries;
  float* joined = scratch.floats(rows * x.width);
  attendHeads(c, x, joined);
  const LinearMap out(weights, packed, c, kOutProjWeight, kOutProjBias);
  gemm(c, out.problem(rows, MatrixRows(joined, x.width, 1), MatrixRows(c.tensor(kOut))));
  if (c.tensor(kAttentionWeights)) meanWeights(c, x);
}

double flops(const Call& c) {
  const Tensor &q = c.tensor(kQuery), &k = c.tensor(kKey);
  const double width = static_cast<double>(q.shape[2]), keys = static_cast<double>(k.shape[1]);
  const double queries = static_cast<double>(q.shape[1]);
  return static_cast<double>(q.shape[0]) * width *
         (4 * width * (queries + keys) + 4 * queries * keys);
}

const Register registered({"multiHeadAttention", run, flops,
                           [](const Call& c) { return packOf(c).floats(); },
                           [](const Call& c, float* to) { packOf(c).pack(to); }});

}  // namespace

}  // namespace fovea
