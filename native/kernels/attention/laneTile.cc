#include "kernels/attention/laneTile.h"

#include "core/numbers.h"

#define FOVEA_KERNEL "kernels/attention/laneTile-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(LaneTile, laneTile, kLaneTile)
