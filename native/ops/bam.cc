// The bottleneck attention module; see lib/ops/bam.ts.
#include <vector>

#include "core/registry.h"
#include "engine/maps/channelPool.h"
#include "engine/maps/entryLoop.h"
#include "engine/maps/layers.h"
#include "engine/maps/mapPass.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kAttention, kWeights };
enum Param { kVariant, kCombine, kLayers, kDilatedConvs, kDilation, kPadding, kEps };
enum Combine { kMultiply, kAdd };

// The weights of a hidden layer and of the last of a branch.
constexpr int kHiddenSlots = 6, kLastSlots = 2;

// The channel branch's layers, then those of the spatial branch; the last of each has no norm.
LayerPack layersOf(const Call& call) {
  std::vector<ConvLayer> layers;
  int slot = kWeights;
  const auto hidden = [&] {
    const NormLayer norm = NormLayer::of(call, slot + 2, call.number(kEps));
    layers.push_back(layerOf(call.tensor(slot), call.tensor(slot + 1), norm));
    slot += kHiddenSlots;
  };
  const auto last = [&] {
    layers.push_back(layerOf(call.tensor(slot), call.tensor(slot + 1)));
    slot += kLastSlots;
  };
  for (int64_t i = 0; i < call.integer(kLayers); ++i) hidden();
  last();
  hidden();
  for (int64_t i = 0; i < call.integer(kDilatedConvs); ++i) {
    hidden();
    ConvShape& shape = layers.back().shape;
    for (int axis = 1; axis < 3; ++axis) {
      shape.dilation[axis] = call.integer(kDilation);
      shape.padding[axis] = call.integer(kPadding);
    }
  }
  last();
  return LayerPack(call, std::move(layers));
}

// Layers [first, end), a relu behind each but the last.
std::vector<ChainLayer> branch(const LayerPack& layers, const float* packed, size_t first,
                               size_t end) {
  std::vector<ChainLayer> chain;
  for (size_t i = first; i < end; ++i) {
    const Activation then = i + 1 < end ? Activation::kRelu : Activation::kNone;
    chain.push_back({layers.at(packed, i), then});
  }
  return chain;
}

// The size of what the spatial branch makes of x.
void sizeBehind(std::span<const ChainLayer> layers, const FeatureMap& x, int64_t* size) {
  std::copy_n(x.size, 3, size);
  for (const ChainLayer& each : layers) {
    const ConvShape& shape = each.layer.layer->shape;
    for (int axis = 0; axis < 3; ++axis) size[axis] = shape.outSize(axis, size[axis]);
  }
}

// One value a position, or one for all of them, as a map of x's shape.
FeatureMap spreadOver(const FeatureMap& values, const FeatureMap& x) {
  FeatureMap map = values.spread();
  map.channels = x.channels;
  std::copy_n(x.size, 3, map.size);
  return map;
}

void run(const Call& call) {
  Scratch& own = Scratch::ofThread();
  const Scratch::Scope scope(own);
  const LayerPack layers = layersOf(call);
  const float* packed = layers.provide(own);
  const auto ofChannels = static_cast<size_t>(call.integer(kLayers)) + 1;
  const std::vector<ChainLayer> channelBranch = branch(layers, packed, 0, ofChannels);
  const std::vector<ChainLayer> spatialBranch = branch(layers, packed, ofChannels, layers.size());
  const FeatureMap x = FeatureMap::of(call.tensor(kX)), out = FeatureMap::of(call.tensor(kOut));
  const FeatureMap attention = FeatureMap::of(call.tensor(kAttention));
  int64_t size[3];
  sizeBehind(spatialBranch, x, size);
  forEntries(call, x, [&](int64_t first, int64_t count, Scratch& scratch) {
    const FeatureMap from = x.entries(first, count);
    const FeatureMap mean = FeatureMap::scratch(count, x.channels, FeatureMap::kPoint, scratch);
    const FeatureMap ofChannel =
        FeatureMap::scratch(count, x.channels, FeatureMap::kPoint, scratch);
    const FeatureMap ofPosition = FeatureMap::scratch(count, 1, size, scratch);
    const ChannelPool pools[] = {{PoolKind::kMean, mean}};
    poolChannels(call, from, pools);
    chain(call, mean.vectors(), channelBranch, ofChannel.vectors());
    chain(call, from, spatialBranch, ofPosition);
    MapStep steps[MapSteps::kMost];
    size_t n = 0;
    steps[n++] = call.integer(kCombine) == kMultiply ? MapStep::multiply(ofChannel)
                                                     : MapStep::add(ofChannel);
    steps[n++] = MapStep::activate(Activation::kSigmoid);
    if (attention) steps[n++] = MapStep::store(attention.entries(first, count));
    steps[n++] = MapStep::modulate(from);
    steps[n++] = MapStep::storeOf(out.entries(first, count), out, x);
    mapPass(call, spreadOver(ofPosition, from), std::span(steps, n));
  });
}

double flops(const Call& call) {
  const LayerPack layers = layersOf(call);
  const FeatureMap x = FeatureMap::of(call.tensor(kX));
  const auto ofChannels = static_cast<size_t>(call.integer(kLayers)) + 1;
  double sum = 40.0 * static_cast<double>(call.tensor(kX).size());
  for (size_t i = ofChannels; i < layers.size(); ++i) sum += convFlops(layers.layer(i).shape, x);
  return sum;
}

const Register registered({"bam", run, flops, Packed<layersOf>::floats, Packed<layersOf>::pack});

}  // namespace

}  // namespace fovea
