#include "kernels/attention/distance.h"

#define FOVEA_KERNEL "kernels/attention/distance-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(Distance, distance, kDistance)
