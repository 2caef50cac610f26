#include "kernels/attendPanel.h"

#define FOVEA_KERNEL "kernels/attendPanel-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(AttendPanel, attendPanel, kAttendPanel)
