// One number for every channel of a map from all of its positions.
#pragma once
#include <cstdint>
#include <span>

#include "core/call.h"
#include "engine/maps/featureMap.h"

namespace fovea {

enum class PoolKind : uint8_t { kMean, kMaximum, kNorm, kLogSumExp };

struct ChannelPool {
  PoolKind kind;
  FeatureMap out;  // [batch, channels], a single position
};

// All pools of one reading of x, a map of any layout. Sums in float64. NaN in a channel gives NaN.
// Scratch for each thread: nothing where the planes are contiguous; otherwise 32 KiB.
void poolChannels(const Call& call, const FeatureMap& x, std::span<const ChannelPool> pools);

}  // namespace fovea
