#include "kernels/poolPlane.h"

#define FOVEA_KERNEL "kernels/poolPlane-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(Pool, pool, kPool)
