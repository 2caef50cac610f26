// Attention on keys and values from a strided convolution of the map; see
// lib/ops/globalSubsampledAttention.ts.
#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "core/registry.h"
#include "engine/attention/attendHeads.h"
#include "engine/matrix/rowLoop.h"
#include "engine/matrix/weightPack.h"
#include "kernels/matrix/rows.h"

namespace fovea {

namespace {

enum Slot {
  kX,
  kOut,
  kQWeight,
  kQBias,
  kKvWeight,
  kKvBias,
  kProjWeight,
  kProjBias,
  kSrWeight,
  kSrBias,
  kNormWeight,
  kNormBias
};
enum Param { kHeads, kSrRatio, kHeight, kWidth, kNormEps };

WeightPack packOf(const Call& call) {
  return WeightPack(call, kQWeight, kNormBias, {{kSrWeight, 1, Packing::Order::kChannelsLast}});
}

// The map cut into patches of ratio x ratio tokens, what does not fill one left out: a patch is a
// row of the product that the strided convolution is, tap by tap all channels.
struct Patches {
  const Tensor& x;
  int64_t ratio, mapWidth, rows, columns;

  int64_t count() const { return rows * columns; }

  void fill(int64_t first, int count, int64_t begin, int64_t depth, float* strip) const {
    const int64_t channels = x.shape[2];
    const float* origin[kStrip];
    for (int i = 0; i < count; ++i) {
      const int64_t b = (first + i) / this->count(), patch = (first + i) % this->count();
      const int64_t token = (patch / columns * mapWidth + patch % columns) * ratio;
      origin[i] = x.floats() + b * x.strides[0] + token * x.strides[1];
    }
    for (int64_t k = begin; k < begin + depth;) {
      const int64_t tap = k / channels, channel = k % channels;
      const int64_t run = std::min(channels - channel, begin + depth - k);
      const int64_t token = tap / ratio * mapWidth + tap % ratio;
      const float* from[kStrip];
      for (int i = 0; i < count; ++i)
        from[i] = origin[i] + token * x.strides[1] + channel * x.strides[2];
      pack().strip(from, x.strides[2], count, run, 1.0f, strip + (k - begin) * kStrip);
      k += run;
    }
  }
};

Patches patchesOf(const Call& call) {
  const int64_t ratio = call.integer(kSrRatio), width = call.integer(kWidth);
  return {call.tensor(kX), ratio, width, call.integer(kHeight) / ratio, width / ratio};
}

// LayerNorm of the convolution, in rows [B * patches, C].
void reduce(const Call& call, const WeightPack& weights, const float* packed,
            const Patches& patches, float* reduced) {
  const int64_t width = patches.x.shape[2];
  const int64_t rows = patches.x.shape[0] * patches.count();
  const LinearMap sr = weights.map(packed, kSrWeight, kSrBias);
  GemmProblem p = sr.problem(rows, {}, MatrixRows(reduced, width, 1));
  p.a.source = {[](const void* context, int64_t first, int count, int64_t begin, int64_t depth,
                   float* strip) {
                  static_cast<const Patches*>(context)->fill(first, count, begin, depth, strip);
                },
                &patches};
  gemm(call, p);
  const int64_t shape[] = {rows, width}, strides[] = {width, 1};
  const Tensor normed{reduced, shape, strides, 2};
  const float *scale = weights.at(packed, kNormWeight), *shift = weights.at(packed, kNormBias);
  const double eps = call.number(kNormEps);
  const auto normalise = fovea::rows().layerNorm;
  forEachRow(call, normed, normed, RowKind::kWhole, [=](const float* from, float* to, int64_t n) {
    normalise(from, scale, shift, eps, to, n, false);
  });
}

// Queries that are taken together: whole panels of attention where there are many.
int64_t runOf(int64_t batch, int64_t tokens) {
  constexpr int64_t kMost = 192, kTasks = 16;
  const int64_t most = std::clamp<int64_t>(batch * tokens / kTasks, kPanel, kMost);
  return ceilDiv(ceilDiv(tokens, ceilDiv(tokens, most)), kPanel) * kPanel;
}

void run(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const int64_t batch = x.shape[0], tokens = x.shape[1], width = x.shape[2];
  const int64_t heads = call.integer(kHeads);
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const WeightPack weights = packOf(call);
  const float* packed = weights.provide(scratch);
  const Patches patches = patchesOf(call);
  const int64_t keys = patches.count();

  MatrixRows source(x);
  if (patches.ratio > 1) {
    float* reduced = scratch.floats(batch * keys * width);
    reduce(call, weights, packed, patches, reduced);
    source = MatrixRows(reduced, width, 1);
  }
  float* kv = scratch.floats(batch * keys * 2 * width);
  const LinearMap toKv = weights.map(packed, kKvWeight, kKvBias);
  gemm(call, toKv.problem(batch * keys, source, MatrixRows(kv, 2 * width, 1)));

  // Keys are few, so queries are projected, attend and are projected again a run at a time, which
  // never leaves the second-level cache.
  const LinearMap toQuery = weights.map(packed, kQWeight, kQBias);
  const LinearMap toOut = weights.map(packed, kProjWeight, kProjBias);
  const Tensor& out = call.tensor(kOut);
  const int64_t run = runOf(batch, tokens), runs = ceilDiv(tokens, run);
  parallelFor(call, batch * runs, [&](int64_t task, Scratch& own) {
    const int64_t b = task / runs, first = task % runs * run;
    const int64_t count = std::min(run, tokens - first);
    const auto rowsOf = [&](const Tensor& t) {
      return MatrixRows(t.floats() + b * t.strides[0] + first * t.strides[1], t.strides[1],
                        t.strides[2]);
    };
    float *query = own.floats(count * width), *joined = own.floats(count * width);
    const GemmRange all{0, count}, channels{0, width};
    gemmBlock(toQuery.problem(count, rowsOf(x), MatrixRows(query, width, 1)), all, channels, own);
    float* ofEntry = kv + b * keys * 2 * width;
    const ProjectedHeads projected{1,
                                   heads,
                                   width / heads,
                                   {query, count, width},
                                   {ofEntry, keys, 2 * width},
                                   {ofEntry + width, keys, 2 * width}};
    attendHeadsHere(
        projected, {joined, count, width}, [&](int64_t, int64_t) { return Interval{0, keys}; },
        own);
    gemmBlock(toOut.problem(count, MatrixRows(joined, width, 1), rowsOf(out)), all, channels, own);
  });
}

double flops(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const Patches patches = patchesOf(call);
  const double width = static_cast<double>(x.shape[2]);
  const double tokens = static_cast<double>(x.shape[1]);
  const double keys = static_cast<double>(patches.count());
  const double reduction =
      patches.ratio > 1 ? static_cast<double>(patches.ratio * patches.ratio) : 0;
  return static_cast<double>(x.shape[0]) * width *
         (4 * tokens * width + keys * width * (4 + 2 * reduction) + 4 * tokens * keys);
}

const Register registered({"globalSubsampledAttention", run, flops, Packed<packOf>::floats,
                           Packed<packOf>::pack});

}  // namespace

}  // namespace fovea
