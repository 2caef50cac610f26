#include "kernels/widen.h"

#define FOVEA_KERNEL "kernels/widen-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(Widen, widen, kWiden)
