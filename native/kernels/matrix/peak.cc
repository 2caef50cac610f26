#include "kernels/matrix/peak.h"

#define FOVEA_KERNEL "kernels/matrix/peak-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(Peak, peak, kPeak)
