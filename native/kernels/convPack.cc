#include "kernels/convPack.h"

#define FOVEA_KERNEL "kernels/convPack-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(ConvPack, convPack, kConvPack)
