#include "kernels/maps/convPack.h"

#define FOVEA_KERNEL "kernels/maps/convPack-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(ConvPack, convPack, kConvPack)
