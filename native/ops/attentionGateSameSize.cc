// The attention gate where gating and x have one size; see lib/ops/attentionGateSameSize.ts.
#include "core/registry.h"
#include "engine/maps/entryLoop.h"
#include "engine/maps/layers.h"
#include "engine/maps/mapPass.h"

namespace fovea {

namespace {

enum Slot { kX, kGating, kOut, kAttention, kWg, kWx = kWg + 6, kPsi = kWx + 6 };
enum Param { kEps };

// A convolution with bias and the norm behind it; their six slots lie together.
ConvLayer normedLayer(const Call& call, int slot) {
  return layerOf(call.tensor(slot), call.tensor(slot + 1),
                 NormLayer::of(call, slot + 2, call.number(kEps)));
}

LayerPack layersOf(const Call& call) {
  return LayerPack(call, {normedLayer(call, kWg), normedLayer(call, kWx), normedLayer(call, kPsi)});
}

void run(const Call& call) {
  Scratch& own = Scratch::ofThread();
  const Scratch::Scope scope(own);
  const LayerPack layers = layersOf(call);
  const float* packed = layers.provide(own);
  const FeatureMap x = FeatureMap::of(call.tensor(kX)),
                   gating = FeatureMap::of(call.tensor(kGating));
  const FeatureMap out = FeatureMap::of(call.tensor(kOut));
  const FeatureMap attention = FeatureMap::of(call.tensor(kAttention));
  const int64_t inner = call.tensor(kWg).shape[0];
  forEntries(call, x, [&](int64_t first, int64_t count, Scratch& scratch) {
    const FeatureMap from = x.entries(first, count);
    const FeatureMap hidden = FeatureMap::scratch(count, inner, x.size, scratch);
    const FeatureMap gate = attention.entries(first, count, 1, x.size, scratch);
    layers.at(packed, 0).run(call, gating.entries(first, count), {MapStep::store(hidden)});
    layers.at(packed, 1).run(
        call, from,
        {MapStep::add(hidden), MapStep::activate(Activation::kRelu), MapStep::store(hidden)});
    layers.at(packed, 2).run(call, hidden,
                             {MapStep::activate(Activation::kSigmoid), MapStep::store(gate)});
    const MapStep steps[] = {MapStep::multiply(gate),
                             MapStep::storeOf(out.entries(first, count), out, x)};
    mapPass(call, from, steps);
  });
}

double flops(const Call& call) {
  const LayerPack layers = layersOf(call);
  return convFlops(layers.layer(0).shape, FeatureMap::of(call.tensor(kGating))) +
         convFlops(layers.layer(1).shape, FeatureMap::of(call.tensor(kX)));
}

const Register registered({"attentionGateSameSize", run, flops, Packed<layersOf>::floats,
                           Packed<layersOf>::pack});

}  // namespace

}  // namespace fovea
