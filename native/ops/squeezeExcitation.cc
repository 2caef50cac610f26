// Channels gated by two layers over their means; see lib/ops/squeezeExcitation.ts.
#include "core/registry.h"
#include "engine/maps/channelGate.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kGate, kFc1Weight, kFc1Bias, kFc2Weight, kFc2Bias };
enum Param { kGateKind, kActivation };

LayerPack layersOf(const Call& call) {
  return LayerPack(call, {layerOf(call.tensor(kFc1Weight), call.tensor(kFc1Bias)),
                          layerOf(call.tensor(kFc2Weight), call.tensor(kFc2Bias))});
}

void run(const Call& call) {
  constexpr Activation kGates[] = {Activation::kSigmoid, Activation::kHardSigmoid};
  constexpr Activation kActivations[] = {Activation::kRelu, Activation::kSilu};
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const LayerPack layers = layersOf(call);
  const float* packed = layers.provide(scratch);
  const ChainLayer chain[] = {{layers.at(packed, 0), kActivations[call.integer(kActivation)]},
                              {layers.at(packed, 1), kGates[call.integer(kGateKind)]}};
  channelGate(call, FeatureMap::of(call.tensor(kX)), chain, FeatureMap::of(call.tensor(kGate)),
              FeatureMap::of(call.tensor(kOut)));
}

double flops(const Call& call) { return passFlops(call.tensor(kX), 2); }

const Register registered({"squeezeExcitation", run, flops, Packed<layersOf>::floats,
                           Packed<layersOf>::pack});

}  // namespace

}  // namespace fovea
