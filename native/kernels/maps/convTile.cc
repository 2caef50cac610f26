#include "kernels/maps/convTile.h"

#define FOVEA_KERNEL "kernels/maps/convTile-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(ConvTile, convTile, kConvTile)
