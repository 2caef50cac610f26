// Linear interpolation over three axes; see lib/ops/interpolateTrilinear.ts.
#include "ops/shared/interpolation.h"

namespace fovea {

namespace {

const Register registered({"interpolateTrilinear", Interpolation<3>::run, Interpolation<3>::flops});

}  // namespace

}  // namespace fovea
