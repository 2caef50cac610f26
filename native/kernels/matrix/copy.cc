#include "kernels/matrix/copy.h"

#define FOVEA_KERNEL "kernels/matrix/copy-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(Copy, copy, kCopy)
