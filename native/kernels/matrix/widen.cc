#include "kernels/matrix/widen.h"

#define FOVEA_KERNEL "kernels/matrix/widen-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(Widen, widen, kWiden)
