// Linear interpolation over two axes; see lib/ops/interpolateBilinear.ts.
#include "ops/shared/interpolation.h"

namespace fovea {

namespace {

const Register registered({"interpolateBilinear", Interpolation<2>::run, Interpolation<2>::flops});

}  // namespace

}  // namespace fovea
