#include "kernels/attention/decodeTile.h"

#define FOVEA_KERNEL "kernels/attention/decodeTile-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(DecodeTile, decodeTile, kDecodeTile)
