#include "kernels/pack.h"

#define FOVEA_KERNEL "kernels/pack-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(Pack, pack, kPack)
