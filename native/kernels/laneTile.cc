#include "kernels/laneTile.h"

#define FOVEA_KERNEL "kernels/laneTile-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(LaneTile, laneTile, kLaneTile)
