#include "kernels/rows.h"

#define FOVEA_KERNEL "kernels/rows-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(Rows, rows, kRows)
