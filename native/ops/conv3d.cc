// Cross-correlation over 3 axes; see lib/ops/conv3d.ts.
#include "ops/shared/convolution.h"

namespace fovea {

namespace {

using Conv = Convolution<3>;

const Register registered({"conv3d", Conv::run, Conv::flops, Packed<Conv::layers>::floats,
                           Packed<Conv::layers>::pack});

}  // namespace

}  // namespace fovea
