// Pooling over the height and width of feature maps.
#pragma once
#include "core/call.h"
#include "engine/maps/featureMap.h"

namespace fovea {

// Rows, then columns.
struct PoolShape {
  int64_t kernel[2] = {1, 1};
  int64_t stride[2] = {1, 1};
  int64_t padding[2] = {0, 0};  // at most half the kernel: no window lies in the padding alone

  int64_t outSize(int axis, int64_t size) const {
    return (size + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1;
  }
};

// The largest of each window, NaN where it holds one; maps of any layout. Scratch a thread: some
// ten rows of x.
void maxPool(const Call& call, const PoolShape& shape, const FeatureMap& x, const FeatureMap& out);

}  // namespace fovea
