#include "kernels/peak.h"

#define FOVEA_KERNEL "kernels/peak-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(Peak, peak, kPeak)
