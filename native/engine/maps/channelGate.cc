#include "engine/maps/channelGate.h"

#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "engine/maps/channelPool.h"
#include "engine/maps/entryLoop.h"
#include "engine/maps/mapPass.h"
#include "kernels/maps/mapRow.h"

namespace fovea {

namespace {

// x * gate, a few planes at a time, where those of both maps are contiguous; else false, and
// nothing is done.
bool scalePlanes(const Call& call, const FeatureMap& x, const FeatureMap& gate,
                 const MapStep& store) {
  constexpr int64_t kPlanes = 8, kLine = 16;
  const FeatureMap& out = store.map;
  int64_t from, to;
  if (!x.isLine(from) || !out.isLine(to) || from != 1 || to != 1) return false;
  if (store.streams && out.channelStride % kLine != 0) return false;
  const int64_t groups = ceilDiv(x.channels, kPlanes), all = x.batch * groups;
  // The end first: that is what the pools have left in the caches.
  parallelFor(call, all, [&](int64_t task, Scratch&) {
    const int64_t b = (all - 1 - task) / groups, c = (all - 1 - task) % groups * kPlanes;
    mapRow().scaleRows(x.at(b, c, 0, 0, 0), x.channelStride, gate.at(b, c, 0, 0, 0),
                       gate.channelStride, out.at(b, c, 0, 0, 0), out.channelStride,
                       std::min(kPlanes, x.channels - c), x.positions(), store.streams);
  });
  return true;
}

}  // namespace

void channelGate(const Call& call, const FeatureMap& x, std::span<const ChainLayer> layers,
                 const FeatureMap& gate, const FeatureMap& out) {
  forEntries(call, x, [&](int64_t first, int64_t count, Scratch& scratch) {
    const FeatureMap from = x.entries(first, count);
    const FeatureMap mean = FeatureMap::scratch(count, x.channels, FeatureMap::kPoint, scratch);
    const FeatureMap by = gate.entries(first, count, x.channels, FeatureMap::kPoint, scratch);
    const ChannelPool pools[] = {{PoolKind::kMean, mean}};
    poolChannels(call, from, pools);
    chain(call, mean.vectors(), layers, by.vectors());
    const MapStep store = MapStep::storeOf(out.entries(first, count), out, x);
    if (!scalePlanes(call, from, by, store)) {
      const MapStep steps[] = {MapStep::multiply(by), store};
      mapPass(call, from, steps);
    }
  });
}

}  // namespace fovea
