// Cross-correlation over 2 axes; see lib/ops/conv2d.ts.
#include "ops/convolution.h"

namespace fovea {
namespace {

using Conv = Convolution<2>;

const Register registered({"conv2d", Conv::run, Conv::flops, Conv::packedFloats, Conv::pack});

}  // namespace
}  // namespace fovea
