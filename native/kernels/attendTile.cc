#include "kernels/attendTile.h"

#define FOVEA_KERNEL "kernels/attendTile-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(AttendTile, attendTile, kAttendTile)
