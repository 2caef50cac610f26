#include "kernels/matrix/pack.h"

#define FOVEA_KERNEL "kernels/matrix/pack-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(Pack, pack, kPack)
