// The mean of every channel; see lib/ops/globalAveragePool.ts.
#include "core/registry.h"
#include "engine/maps/channelPool.h"

namespace fovea {

namespace {

enum Slot { kX, kOut };

void run(const Call& call) {
  const ChannelPool mean[] = {{PoolKind::kMean, FeatureMap::of(call.tensor(kOut))}};
  poolChannels(call, FeatureMap::of(call.tensor(kX)), mean);
}

double flops(const Call& call) { return 4.0 * static_cast<double>(call.tensor(kX).size()); }

const Register registered({"globalAveragePool", run, flops});

}  // namespace

}  // namespace fovea
