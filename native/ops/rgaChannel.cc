// Relation-aware attention over channels; see lib/ops/rgaChannel.ts.
#include "ops/relationGate.h"

namespace fovea {
namespace {

enum Slot { kX, kOut, kAttention, kWeights };
enum Param { kChaRatio, kSpaRatio, kDownRatio, kBnEps };

RelationGate gateOf(const Call& call) {
  RelationGate gate(call, kWeights, call.number(kBnEps));
  gate.add(Nodes::kChannels, kAttention);
  return gate;
}

using Gate = RelationOp<gateOf>;
const Register registered({"rgaChannel", Gate::run, Gate::flops, Gate::packedFloats, Gate::pack});

}  // namespace
}  // namespace fovea
