#include "kernels/attention/additive.h"

#define FOVEA_KERNEL "kernels/attention/additive-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(Additive, additive, kAdditive)
