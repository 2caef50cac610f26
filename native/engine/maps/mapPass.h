// One pass over a map: what gates, norms and residuals do to x when no layer before them is left to
// do it.
#pragma once
#include <span>

#include "core/call.h"
#include "engine/maps/featureMap.h"
#include "engine/maps/mapSteps.h"

namespace fovea {

// Applies the steps to every element of x, in parallel; the last of them stores. x is read once,
// its end first: that is what a pass before has left in the caches. A store to x itself is allowed.
// Scratch a thread: 32 KB.
void mapPass(const Call& call, const FeatureMap& x, std::span<const MapStep> steps);

}  // namespace fovea
