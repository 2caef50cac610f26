// Cross-correlation over 2 axes; see lib/ops/conv2d.ts.
#include "ops/shared/convolution.h"

namespace fovea {

namespace {

using Conv = Convolution<2>;

const Register registered({"conv2d", Conv::run, Conv::flops, Packed<Conv::layers>::floats,
                           Packed<Conv::layers>::pack});

}  // namespace

}  // namespace fovea
