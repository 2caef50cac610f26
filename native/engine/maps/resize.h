// Linear interpolation of feature maps: bilinear, trilinear, and whatever follows it.
#pragma once
#include <span>

#include "core/call.h"
#include "engine/maps/featureMap.h"
#include "engine/maps/mapSteps.h"

namespace fovea {

// Resizes x to `size` (depth, height, width), separably and without anti-aliasing; an axis that
// keeps its size is left as it is. Output position o of m, over n elements, lies at
//   o (n - 1) / (m - 1), or 0 where m is 1                          alignCorners
//   max(0, (o + 1/2) n / m - 1/2)                                   otherwise
// The steps are applied to every element and end in a store to a map of that size. Scratch: 16
// bytes a position along each axis; a thread, six rows of the output.
void resize(const Call& call, const FeatureMap& x, const int64_t* size, bool alignCorners,
            std::span<const MapStep> steps);

}  // namespace fovea
