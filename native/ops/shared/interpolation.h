// What interpolateBilinear and interpolateTrilinear share.
#pragma once
#include "core/registry.h"
#include "engine/maps/resize.h"

namespace fovea {

template <int kAxes>
struct Interpolation {
  enum Slot { kX, kOut };
  enum Param { kSize, kAlignCorners = kAxes };

  static void run(const Call& call) {
    const FeatureMap out = FeatureMap::of(call.tensor(kOut));
    const MapStep end[] = {MapStep::store(out)};
    resize(call, FeatureMap::of(call.tensor(kX)), out.size, call.flag(kAlignCorners), end);
  }

  static double flops(const Call& call) {
    return 3.0 * kAxes * static_cast<double>(call.tensor(kOut).size());
  }
};

}  // namespace fovea
