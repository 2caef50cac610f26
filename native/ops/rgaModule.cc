// Relation-aware attention over positions, then over channels; see lib/ops/rgaModule.ts.
#include "ops/relationGate.h"

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

using Gate = RelationOp<gateOf>;
const Register registered({"rgaModule", Gate::run, Gate::flops, Gate::packedFloats, Gate::pack});

}  // namespace
}  // namespace fovea
