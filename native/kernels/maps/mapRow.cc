#include "kernels/maps/mapRow.h"

#include "kernels/matrix/activation.h"

#define FOVEA_KERNEL "kernels/maps/mapRow-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(MapRow, mapRow, kMapRow)
