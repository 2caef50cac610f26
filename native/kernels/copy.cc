#include "kernels/copy.h"

#define FOVEA_KERNEL "kernels/copy-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(Copy, copy, kCopy)
