#include "kernels/maps/poolPlane.h"

#define FOVEA_KERNEL "kernels/maps/poolPlane-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(Pool, pool, kPool)
