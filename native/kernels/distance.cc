#include "kernels/distance.h"

#define FOVEA_KERNEL "kernels/distance-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(Distance, distance, kDistance)
