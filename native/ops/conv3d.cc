// Cross-correlation over 3 axes; see lib/ops/conv3d.ts.
#include "ops/convolution.h"

namespace fovea {
namespace {

using Conv = Convolution<3>;

const Register registered({"conv3d", Conv::run, Conv::flops, Conv::packedFloats, Conv::pack});

}  // namespace
}  // namespace fovea
