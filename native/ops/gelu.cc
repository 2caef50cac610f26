// x (1 + erf(x / sqrt 2)) / 2; see lib/ops/gelu.ts.
#include "core/registry.h"
#include "engine/matrix/rowLoop.h"
#include "kernels/matrix/rows.h"

namespace fovea {

namespace {

enum Slot { kX, kOut };

void run(const Call& call) {
  forEachRow(call, call.tensor(kX), call.tensor(kOut), RowKind::kElements, rows().gelu);
}

double flops(const Call& call) { return 48.0 * static_cast<double>(call.tensor(kX).size()); }

const Register registered({"gelu", run, flops});

}  // namespace

}  // namespace fovea
