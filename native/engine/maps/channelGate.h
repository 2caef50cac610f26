// Squeeze and excite: the mean of every channel passes through a few small layers, whose result
// gates the channels.
#pragma once
#include <span>

#include "core/call.h"
#include "engine/maps/featureMap.h"
#include "engine/maps/layers.h"

namespace fovea {

// gate = layers(mean of x), out = x * gate; [batch, channels] and x's shape. The gate is kept where
// `gate` says, if anywhere. x is read twice, the second time backwards and while the entries lately
// pooled are still in a cache. `out` may be x.
void channelGate(const Call& call, const FeatureMap& x, std::span<const ChainLayer> layers,
                 const FeatureMap& gate, const FeatureMap& out);

}  // namespace fovea
