// The convolutional block attention module; see lib/ops/cbam.ts.
#include <algorithm>
#include <limits>
#include <vector>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "core/registry.h"
#include "engine/maps/channelPool.h"
#include "engine/maps/entryLoop.h"
#include "engine/maps/layers.h"
#include "engine/maps/mapPass.h"
#include "kernels/maps/mapRow.h"
#include "kernels/matrix/copy.h"

namespace fovea {

namespace {

enum Slot {
  kX,
  kOut,
  kChannelAttention,
  kSpatialAttention,
  kDown,
  kUp = kDown + 2,
  kSpatial = kUp + 2,
  kNorm
};
// How often each pool was named, in the order of PoolKind.
enum Param { kPools, kNoSpatial = kPools + 4, kEps };
enum Layer { kDownLayer, kUpLayer, kSpatialLayer };

LayerPack layersOf(const Call& call) {
  std::vector<ConvLayer> layers{layerOf(call.tensor(kDown), call.tensor(kDown + 1)),
                                layerOf(call.tensor(kUp), call.tensor(kUp + 1))};
  if (!call.flag(kNoSpatial)) {
    layers.push_back(
        layerOf(call.tensor(kSpatial), {}, NormLayer::of(call, kNorm, call.number(kEps))));
    ConvShape& shape = layers.back().shape;
    for (int axis = 1; axis < 3; ++axis) shape.padding[axis] = shape.kernel[axis] / 2;
  }
  return LayerPack(call, std::move(layers));
}

// sigmoid(the sum over the pools of up(relu(down(pool of x)))), [batch, channels].
void attendToChannels(const Call& call, const PackedLayer& down, const PackedLayer& up,
                      const FeatureMap& x, const FeatureMap& attention) {
  constexpr PoolKind kKinds[] = {PoolKind::kMean, PoolKind::kMaximum, PoolKind::kNorm,
                                 PoolKind::kLogSumExp};
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  std::vector<ChannelPool> pools;
  int64_t terms = 0;
  for (int i = 0; i < 4; ++i) {
    if (call.integer(kPools + i) == 0) continue;
    pools.push_back(
        {kKinds[i], FeatureMap::scratch(x.batch, x.channels, FeatureMap::kPoint, scratch)});
    terms += call.integer(kPools + i);
  }
  poolChannels(call, x, pools);
  const FeatureMap to = attention.vectors();
  const FeatureMap hidden =
      FeatureMap::scratch(x.batch, down.layer->shape.outChannels, FeatureMap::kPoint, scratch)
          .vectors();
  bool first = true;
  for (const auto& [kind, pooled] : pools) {
    down.run(call, pooled.vectors(),
             {MapStep::activate(Activation::kRelu), MapStep::store(hidden)});
    const int64_t times = call.integer(kPools + static_cast<int>(kind));
    for (int64_t i = 0; i < times; ++i, --terms, first = false) {
      const MapStep end[] = {
          MapStep::add(to),
          MapStep::activate(terms == 1 ? Activation::kSigmoid : Activation::kNone),
          MapStep::store(to)};
      up.run(call, hidden, std::span(end).subspan(first ? 1 : 0));
    }
  }
}

// Of every position the largest and the mean of the gated channels, [batch, 2, ...].
void compress(const Call& call, const FeatureMap& map, const FeatureMap& gates,
              const FeatureMap& to) {
  // What is known of so many positions stays in the first-level cache.
  constexpr int64_t kRun = 2048;
  int64_t step;
  const bool isLine = map.isLine(step);
  const FeatureMap x = isLine ? map.line(step) : map;
  const int64_t width = x.size[2], runs = ceilDiv(width, kRun);
  const float share = 1.0f / static_cast<float>(x.channels);
  parallelFor(call, x.batch * x.size[1] * runs, [&](int64_t task, Scratch& scratch) {
    const int64_t first = task % runs * kRun, y = task / runs % x.size[1];
    const int64_t b = task / runs / x.size[1], n = std::min(kRun, width - first);
    float* most = to.at(b, 0, 0, 0, 0) + y * width + first;
    float* sums = to.at(b, 1, 0, 0, 0) + y * width + first;
    std::fill_n(most, n, -std::numeric_limits<float>::infinity());
    std::fill_n(sums, n, 0.0f);
    float* gathered = scratch.floats(n);
    for (int64_t channel = 0; channel < x.channels; ++channel) {
      const float* from = adjacent(x.at(b, channel, 0, y, first), x.stride[2], n, gathered);
      mapRow().gather(from, *gates.at(b, channel, 0, 0, 0), most, sums, n);
    }
    mapRow().multiply(sums, &share, 0, sums, n, false);
  });
}

void run(const Call& call) {
  Scratch& own = Scratch::ofThread();
  const Scratch::Scope scope(own);
  const LayerPack layers = layersOf(call);
  const float* packed = layers.provide(own);
  const FeatureMap x = FeatureMap::of(call.tensor(kX)), out = FeatureMap::of(call.tensor(kOut));
  const FeatureMap ofChannels = FeatureMap::of(call.tensor(kChannelAttention));
  const FeatureMap ofPositions = FeatureMap::of(call.tensor(kSpatialAttention));
  forEntries(call, x, [&](int64_t first, int64_t count, Scratch& scratch) {
    const FeatureMap from = x.entries(first, count);
    const MapStep store = MapStep::storeOf(out.entries(first, count), out, x);
    const FeatureMap channels =
        ofChannels.entries(first, count, x.channels, FeatureMap::kPoint, scratch);
    attendToChannels(call, layers.at(packed, kDownLayer), layers.at(packed, kUpLayer), from,
                     channels);
    if (call.flag(kNoSpatial)) {
      const MapStep steps[] = {MapStep::multiply(channels), store};
      mapPass(call, from, steps);
      return;
    }
    const FeatureMap compressed = FeatureMap::scratch(count, 2, x.size, scratch);
    const FeatureMap positions = ofPositions.entries(first, count, 1, x.size, scratch);
    compress(call, from, channels, compressed);
    layers.at(packed, kSpatialLayer)
        .run(call, compressed,
             {MapStep::activate(Activation::kSigmoid), MapStep::store(positions)});
    const MapStep steps[] = {MapStep::multiply(channels), MapStep::multiply(positions), store};
    mapPass(call, from, steps);
  });
}

// x is read for the pools, to be compressed and to be gated.
double flops(const Call& call) { return passFlops(call.tensor(kX), 4); }

const Register registered({"cbam", run, flops, Packed<layersOf>::floats, Packed<layersOf>::pack});

}  // namespace

}  // namespace fovea
