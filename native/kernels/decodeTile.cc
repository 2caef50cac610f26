#include "kernels/decodeTile.h"

#define FOVEA_KERNEL "kernels/decodeTile-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(DecodeTile, decodeTile, kDecodeTile)
