#include "kernels/attention/neighborTile.h"

#include "core/numbers.h"

#define FOVEA_KERNEL "kernels/attention/neighborTile-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(NeighborTile, neighborTile, kNeighborTile)
