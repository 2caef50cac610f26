#include "kernels/neighborTile.h"

#define FOVEA_KERNEL "kernels/neighborTile-inl.h"
#include "simd/each.h"

FOVEA_DISPATCH(NeighborTile, neighborTile, kNeighborTile)
