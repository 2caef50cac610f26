// Relation-aware attention over positions, then over channels; see lib/ops/rgaModule.ts.
#include "ops/shared/relationGate.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kSpatialAttention, kChannelAttention, kWeights };
enum Param { kUseSpatial, kUseChannel, kChaRatio, kSpaRatio, kDownRatio, kBnEps };

RelationGate gateOf(const Call& call) {
  RelationGate gate(call, kWeights, call.number(kBnEps));
  if (call.flag(kUseSpatial)) gate.add(Nodes::kPositions, kSpatialAttention);
  if (call.flag(kUseChannel)) gate.add(Nodes::kChannels, kChannelAttention);
  return gate;
}

void run(const Call& call) { gateOf(call).run(); }
double flops(const Call& call) { return gateOf(call).flops(); }

const Register registered({"rgaModule", run, flops, Packed<gateOf>::floats, Packed<gateOf>::pack});

}  // namespace

}  // namespace fovea
