#include "kernels/panelSoftmax.h"

#define FOVEA_KERNEL "kernels/panelSoftmax-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(PanelSoftmax, panelSoftmax, kPanelSoftmax)
