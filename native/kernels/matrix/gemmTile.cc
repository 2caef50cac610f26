#include "kernels/matrix/gemmTile.h"

#define FOVEA_KERNEL "kernels/matrix/gemmTile-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(GemmTile, gemmTile, kGemmTile)
