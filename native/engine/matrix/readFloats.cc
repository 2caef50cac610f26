#include "engine/matrix/readFloats.h"

#include <cstring>

#include "kernels/matrix/widen.h"

namespace fovea {

void readFloats(const void* from, Dtype dtype, int64_t step, float* to, int64_t n) {
  if (n == 0) return;
  if (dtype == Dtype::kFloat16) {
    widen().float16(static_cast<const uint16_t*>(from), step, to, n);
  } else if (dtype == Dtype::kBfloat16) {
    widen().bfloat16(static_cast<const uint16_t*>(from), step, to, n);
  } else if (step == 1) {
    std::memcpy(to, from, sizeof(float) * static_cast<size_t>(n));
  } else {
    const auto* floats = static_cast<const float*>(from);
    for (int64_t i = 0; i < n; ++i) to[i] = floats[i * step];
  }
}

}  // namespace fovea
