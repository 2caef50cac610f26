#include "kernels/convTile.h"

#define FOVEA_KERNEL "kernels/convTile-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(ConvTile, convTile, kConvTile)
