// Channels gated by one layer over their means; see lib/ops/effectiveSqueezeExcitation.ts.
#include "core/registry.h"
#include "engine/channelGate.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kGate, kFcWeight, kFcBias };
enum Param { kGateKind };

LayerPack layersOf(const Call& c) {
  return LayerPack(c, {layerOf(c.tensor(kFcWeight), c.tensor(kFcBias))});
}

void run(const Call& c) {
  constexpr Activation kGates[] = {Activation::kHardSigmoid, Activation::kSigmoid};
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const LayerPack layers = layersOf(c);
  const ChainLayer chain[] = {
      {layers.at(layers.provide(scratch), 0), kGates[c.integer(kGateKind)]}};
  channelGate(c, FeatureMap::of(c.tensor(kX)), chain, FeatureMap::of(c.tensor(kGate)),
              FeatureMap::of(c.tensor(kOut)));
}

double flops(const Call& c) { return passFlops(c.tensor(kX), 2); }

const Register registered({"effectiveSqueezeExcitation", run, flops, Packed<layersOf>::floats,
                           Packed<layersOf>::pack});

}  // namespace

}  // namespace fovea
