#include "kernels/attention/attendTile.h"

#include "core/numbers.h"

#define FOVEA_KERNEL "kernels/attention/attendTile-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(AttendTile, attendTile, kAttendTile)
