// Channels gated by one layer over their means; see lib/ops/effectiveSqueezeExcitation.ts.
#include "core/registry.h"
#include "engine/maps/channelGate.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kGate, kFcWeight, kFcBias };
enum Param { kGateKind };

LayerPack layersOf(const Call& call) {
  return LayerPack(call, {layerOf(call.tensor(kFcWeight), call.tensor(kFcBias))});
}

void run(const Call& call) {
  constexpr Activation kGates[] = {Activation::kHardSigmoid, Activation::kSigmoid};
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const LayerPack layers = layersOf(call);
  const ChainLayer chain[] = {
      {layers.at(layers.provide(scratch), 0), kGates[call.integer(kGateKind)]}};
  channelGate(call, FeatureMap::of(call.tensor(kX)), chain, FeatureMap::of(call.tensor(kGate)),
              FeatureMap::of(call.tensor(kOut)));
}

double flops(const Call& call) { return passFlops(call.tensor(kX), 2); }

const Register registered({"effectiveSqueezeExcitation", run, flops, Packed<layersOf>::floats,
                           Packed<layersOf>::pack});

}  // namespace

}  // namespace fovea
