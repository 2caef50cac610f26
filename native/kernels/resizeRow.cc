#include "kernels/resizeRow.h"

#define FOVEA_KERNEL "kernels/resizeRow-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(ResizeRow, resizeRow, kResizeRow)
