// Channels gated by two layers over their means; see lib/ops/squeezeExcitation.ts.
#include "core/registry.h"
#include "engine/channelGate.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kGate, kFc1Weight, kFc1Bias, kFc2Weight, kFc2Bias };
enum Param { kGateKind, kActivation };

LayerPack layersOf(const Call& c) {
  return LayerPack(c, {layerOf(c.tensor(kFc1Weight), c.tensor(kFc1Bias)),
                       layerOf(c.tensor(kFc2Weight), c.tensor(kFc2Bias))});
}

void run(const Call& c) {
  constexpr Activation kGates[] = {Activation::kSigmoid, Activation::kHardSigmoid};
  constexpr Activation kActivations[] = {Activation::kRelu, Activation::kSilu};
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const LayerPack layers = layersOf(c);
  const float* packed = layers.provide(scratch);
  const ChainLayer chain[] = {{layers.at(packed, 0), kActivations[c.integer(kActivation)]},
                              {layers.at(packed, 1), kGates[c.integer(kGateKind)]}};
  channelGate(c, FeatureMap::of(c.tensor(kX)), chain, FeatureMap::of(c.tensor(kGate)),
              FeatureMap::of(c.tensor(kOut)));
}

double flops(const Call& c) { return passFlops(c.tensor(kX), 2); }

const Register registered({"squeezeExcitation", run, flops, Packed<layersOf>::floats,
                           Packed<layersOf>::pack});

}  // namespace

}  // namespace fovea
