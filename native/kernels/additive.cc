#include "kernels/additive.h"

#define FOVEA_KERNEL "kernels/additive-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(Additive, additive, kAdditive)
