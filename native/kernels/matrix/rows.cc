#include "kernels/matrix/rows.h"

#define FOVEA_KERNEL "kernels/matrix/rows-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(Rows, rows, kRows)
