#include "kernels/maps/resizeRow.h"

#define FOVEA_KERNEL "kernels/maps/resizeRow-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(ResizeRow, resizeRow, kResizeRow)
