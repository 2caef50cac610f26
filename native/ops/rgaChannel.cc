// Relation-aware attention over channels; see lib/ops/rgaChannel.ts.
#include "ops/shared/relationGate.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kAttention, kWeights };
enum Param { kChaRatio, kSpaRatio, kDownRatio, kBnEps };

RelationGate gateOf(const Call& call) {
  RelationGate gate(call, kWeights, call.number(kBnEps));
  gate.add(Nodes::kChannels, kAttention);
  return gate;
}

void run(const Call& call) { gateOf(call).run(); }
double flops(const Call& call) { return gateOf(call).flops(); }

const Register registered({"rgaChannel", run, flops, Packed<gateOf>::floats, Packed<gateOf>::pack});

}  // namespace

}  // namespace fovea
