// Tokens of any float type, one a lane, as vectors of float32.
#pragma once
#include "core/scratch.h"
#include "engine/matrix/readFloats.h"
#include "kernels/attention/laneTile.h"

namespace fovea {

// Element k of every lane goes to vectors + k * step. A token begins `offset` elements behind
// tokens[lane], whatever their type; its elements are `inner` apart. Null: zeros.
inline void gatherTokens(float* const* tokens, Dtype dtype, int64_t offset, int64_t inner,
                         int64_t depth, float* vectors, int64_t step) {
  if (dtype == Dtype::kFloat32)
    return laneTile().gather(tokens, offset, inner, depth, vectors, step);
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  float* wide = scratch.floats(laneTile().lanes * depth);
  const float* rows[kMostLanes];
  for (int lane = 0; lane < laneTile().lanes; ++lane) {
    float* to = wide + lane * depth;
    rows[lane] = tokens[lane] ? to : nullptr;
    if (tokens[lane]) readFloats(elementAt(tokens[lane], dtype, offset), dtype, inner, to, depth);
  }
  laneTile().gather(rows, 0, 1, depth, vectors, step);
}

}  // namespace fovea
