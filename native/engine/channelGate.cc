#include "engine/channelGate.h"

#include "core/scratch.h"
#include "engine/channelPool.h"
#include "engine/mapPass.h"

namespace fovea {

void channelGate(const Call& call, const FeatureMap& x, std::span<const ChainLayer> layers,
                 const FeatureMap& gate, const FeatureMap& out) {
  const int64_t together = x.entriesTogether();
  const int64_t vector[3] = {1, 1, 1};
  Scratch& scratch = Scratch::ofThread();
  for (int64_t first = 0; first < x.batch; first += together) {
    const Scratch::Scope scope(scratch);
    const int64_t count = std::min(together, x.batch - first);
    const auto vectors = [&] { return FeatureMap::scratch(count, x.channels, vector, scratch); };
    const FeatureMap from = x.entries(first, count), mean = vectors();
    const FeatureMap by = gate ? gate.entries(first, count) : vectors();
    const ChannelPool pools[] = {{PoolKind::kMean, mean}};
    poolChannels(call, from, pools);
    chain(call, mean.vectors(), layers, by.vectors());
    const MapStep steps[] = {MapStep::multiply(by),
                             MapStep::storeOf(out.entries(first, count), out, x)};
    mapPass(call, from, steps);
  }
}

}  // namespace fovea
