// (x - running_mean) / sqrt(running_var + eps) * weight + bias by channel; see
// lib/ops/batchNorm.ts.
#include "core/registry.h"
#include "core/scratch.h"
#include "engine/maps/layers.h"
#include "engine/maps/mapPass.h"
#include "engine/matrix/preparedWeights.h"
#include "engine/matrix/rowLoop.h"
#include "kernels/maps/mapRow.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kMean, kVariance, kWeight, kBias };
enum Param { kEps };

NormLayer normOf(const Call& call) {
  return {call.tensor(kMean), call.tensor(kVariance), call.tensor(kWeight), call.tensor(kBias),
          call.number(kEps)};
}

// A tensor with its channels, which are axis 1, as the last axis.
struct Channels {
  explicit Channels(const Tensor& t) : tensor(t) {
    for (int axis = 0; axis < t.rank; ++axis) {
      const int from = axis == 0 ? 0 : axis == t.rank - 1 ? 1 : axis + 1;
      shape[axis] = t.shape[from];
      strides[axis] = t.strides[from];
    }
    tensor.shape = shape;
    tensor.strides = strides;
  }
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;
  Tensor tensor;
  int64_t shape[5], strides[5];
};

void run(const Call& call) {
  const NormLayer norm = normOf(call);
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const float* packed =
      packedWeights(call, norm.packedFloats(), scratch, [&](float* array) { norm.pack(array); });
  const ChannelAffine by = norm.at(packed);
  const Tensor &x = call.tensor(kX), &out = call.tensor(kOut);
  if (x.rank == 2 || x.strides[1] == 1) {
    // Channels are the rows that lie together.
    const Channels from(x), to(out);
    forEachRow(call, from.tensor, to.tensor, RowKind::kWhole,
               [&](const float* row, float* y, int64_t n) {
                 mapRow().affineAlong(row, y, n, by.centre, by.scale, by.shift);
               });
    return;
  }
  const MapStep steps[] = {MapStep::affine(by), MapStep::store(FeatureMap::of(out))};
  mapPass(call, FeatureMap::of(x), steps);
}

double flops(const Call& call) { return 3.0 * static_cast<double>(call.tensor(kX).size()); }

const Register registered({"batchNorm", run, flops, Packed<normOf>::floats, Packed<normOf>::pack});

}  // namespace

}  // namespace fovea
