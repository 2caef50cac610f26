#include "kernels/attention/attendPanel.h"

#include "core/numbers.h"

#define FOVEA_KERNEL "kernels/attention/attendPanel-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(AttendPanel, attendPanel, kAttendPanel)
