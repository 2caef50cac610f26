// The attention gate where gating and x have one size; see lib/ops/attentionGateSameSize.ts.
#include "core/registry.h"
#include "engine/entryLoop.h"
#include "engine/layers.h"
#include "engine/mapPass.h"

namespace fovea {

namespace {

enum Slot { kX, kGating, kOut, kAttention, kWg, kWx = kWg + 6, kPsi = kWx + 6 };
enum Param { kEps };

// A convolution with bias and the norm behind it; their six slots lie together.
ConvLayer normedLayer(const Call& c, int slot) {
  return layerOf(c.tensor(slot), c.tensor(slot + 1), NormLayer::of(c, slot + 2, c.number(kEps)));
}

LayerPack layersOf(const Call& c) {
  return LayerPack(c, {normedLayer(c, kWg), normedLayer(c, kWx), normedLayer(c, kPsi)});
}

void run(const Call& c) {
  Scratch& own = Scratch::ofThread();
  const Scratch::Scope scope(own);
  const LayerPack layers = layersOf(c);
  const float* packed = layers.provide(own);
  const FeatureMap x = FeatureMap::of(c.tensor(kX)), gating = FeatureMap::of(c.tensor(kGating));
  const FeatureMap out = FeatureMap::of(c.tensor(kOut));
  const FeatureMap attention = FeatureMap::of(c.tensor(kAttention));
  const int64_t inner = c.tensor(kWg).shape[0];
  forEntries(c, x, [&](int64_t first, int64_t count, Scratch& scratch) {
    const FeatureMap from = x.entries(first, count);
    const FeatureMap hidden = FeatureMap::scratch(count, inner, x.size, scratch);
    const FeatureMap gate = attention.entries(first, count, 1, x.size, scratch);
    layers.at(packed, 0).run(c, gating.entries(first, count), {MapStep::store(hidden)});
    layers.at(packed, 1).run(
        c, from,
        {MapStep::add(hidden), MapStep::activate(Activation::kRelu), MapStep::store(hidden)});
    layers.at(packed, 2).run(c, hidden,
                             {MapStep::activate(Activation::kSigmoid), MapStep::store(gate)});
    const MapStep steps[] = {MapStep::multiply(gate),
                             MapStep::storeOf(out.entries(first, count), out, x)};
    mapPass(c, from, steps);
  });
}

double flops(const Call& c) {
  const LayerPack layers = layersOf(c);
  return convFlops(layers.layer(0).shape, FeatureMap::of(c.tensor(kGating))) +
         convFlops(layers.layer(1).shape, FeatureMap::of(c.tensor(kX)));
}

const Register registered({"attentionGateSameSize", run, flops, Packed<layersOf>::floats,
                           Packed<layersOf>::pack});

}  // namespace

}  // namespace fovea
