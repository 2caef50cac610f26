// exp(x) / sum exp(x) along the last axis; see lib/ops/softmax.ts.
#include "core/registry.h"
#include "engine/matrix/rowLoop.h"
#include "kernels/matrix/rows.h"

namespace fovea {

namespace {

enum Slot { kX, kOut };

void run(const Call& call) {
  forEachRow(call, call.tensor(kX), call.tensor(kOut), RowKind::kWhole, rows().softmax);
}

double flops(const Call& call) { return 24.0 * static_cast<double>(call.tensor(kX).size()); }

const Register registered({"softmax", run, flops});

}  // namespace

}  // namespace fovea
