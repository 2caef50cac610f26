#include "kernels/attention/panelSoftmax.h"

#define FOVEA_KERNEL "kernels/attention/panelSoftmax-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(PanelSoftmax, panelSoftmax, kPanelSoftmax)
