#include "kernels/mapRow.h"

#include "kernels/activation.h"

#define FOVEA_KERNEL "kernels/mapRow-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(MapRow, mapRow, kMapRow)
