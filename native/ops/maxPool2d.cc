// The largest of each window; see lib/ops/maxPool2d.ts.
#include "core/registry.h"
#include "engine/maps/pool.h"

namespace fovea {

namespace {

enum Slot { kX, kOut };
enum Param { kKernel, kStride = 2, kPadding = 4 };

void run(const Call& call) {
  PoolShape shape;
  for (int axis = 0; axis < 2; ++axis) {
    shape.kernel[axis] = call.integer(kKernel + axis);
    shape.stride[axis] = call.integer(kStride + axis);
    shape.padding[axis] = call.integer(kPadding + axis);
  }
  maxPool(call, shape, FeatureMap::of(call.tensor(kX)), FeatureMap::of(call.tensor(kOut)));
}

double flops(const Call& call) {
  return static_cast<double>(call.tensor(kOut).size()) *
         (call.number(kKernel) + call.number(kKernel + 1));
}

const Register registered({"maxPool2d", run, flops});

}  // namespace

}  // namespace fovea
