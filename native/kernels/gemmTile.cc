#include "kernels/gemmTile.h"

#define FOVEA_KERNEL "kernels/gemmTile-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(GemmTile, gemmTile, kGemmTile)
