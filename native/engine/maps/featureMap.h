// Feature maps: tensors [batch, channels, (depth, height,) width] anywhere in memory.
#pragma once
#include <algorithm>
#include <cstdint>

#include "core/scratch.h"
#include "core/tensor.h"

namespace fovea {

// Axes that a map does not have are of size 1, in front. Strides are in elements and may be 0.
struct FeatureMap {
  float* data = nullptr;
  int64_t batch = 0, channels = 0;
  int64_t size[3] = {1, 1, 1};  // depth, height, width
  int64_t batchStride = 0, channelStride = 0;
  int64_t stride[3] = {0, 0, 0};

  // The size of one position: a map of it is a vector of channels for each entry.
  static constexpr int64_t kPoint[3] = {1, 1, 1};

  explicit operator bool() const { return data != nullptr; }
  int64_t positions() const { return size[0] * size[1] * size[2]; }
  float* at(int64_t b, int64_t c, int64_t z, int64_t y, int64_t x) const {
    return data + b * batchStride + c * channelStride + z * stride[0] + y * stride[1] +
           x * stride[2];
  }

  // A tensor of rank 2 to 5: [B, C], [B, C, W], [B, C, H, W] or [B, C, D, H, W]; no map
  // where it is absent.
  static FeatureMap of(const Tensor& t) {
    FeatureMap map;
    if (!t.described()) return map;
    map.data = t.floats();
    map.batch = t.shape[0];
    map.channels = t.shape[1];
    map.batchStride = t.strides[0];
    map.channelStride = t.strides[1];
    for (int axis = 2; axis < t.rank; ++axis) {
      map.size[3 - t.rank + axis] = t.shape[axis];
      map.stride[3 - t.rank + axis] = t.strides[axis];
    }
    return map;
  }

  // Contiguous memory; below, in scratch.
  static FeatureMap contiguous(float* data, int64_t batch, int64_t channels, const int64_t* size) {
    FeatureMap map;
    map.data = data;
    map.batch = batch;
    map.channels = channels;
    int64_t step = 1;
    for (int axis = 2; axis >= 0; --axis) {
      map.size[axis] = size[axis];
      map.stride[axis] = step;
      step *= size[axis];
    }
    map.channelStride = step;
    map.batchStride = step * channels;
    return map;
  }

  static FeatureMap scratch(int64_t batch, int64_t channels, const int64_t* size, Scratch& memory) {
    const int64_t floats = batch * channels * size[0] * size[1] * size[2];
    return contiguous(memory.floats(floats), batch, channels, size);
  }

  // Entries [first, first + count) of the batch; of a map that is not there, none.
  FeatureMap entries(int64_t first, int64_t count) const {
    FeatureMap map = *this;
    if (data) map.data = at(first, 0, 0, 0, 0);
    map.batch = count;
    return map;
  }

  // The same, and in scratch where the map is not there.
  FeatureMap entries(int64_t first, int64_t count, int64_t channelCount, const int64_t* extent,
                     Scratch& memory) const {
    return data ? entries(first, count) : scratch(count, channelCount, extent, memory);
  }

  // One entry of the batch alone.
  FeatureMap entry(int64_t b) const { return entries(b, 1); }

  // Rows [first, first + count) of the height.
  FeatureMap rows(int64_t first, int64_t count) const {
    FeatureMap map = *this;
    map.data = at(0, 0, 0, first, 0);
    map.size[1] = count;
    return map;
  }

  // The same map, its axes of size 1 as long as anybody wants: [B, C] gates every position, [B, 1,
  // H, W] every channel.
  FeatureMap spread() const {
    FeatureMap map = *this;
    if (batch == 1) map.batchStride = 0;
    if (channels == 1) map.channelStride = 0;
    for (int axis = 0; axis < 3; ++axis) {
      if (size[axis] == 1) map.stride[axis] = 0;
    }
    return map;
  }

  // How many entries are worked on together so that one pass over them finds in the second-level
  // cache what another has left there: at most 1 MB of them, or a single larger one. Scratch then
  // does not grow with the batch either.
  int64_t entriesTogether() const {
    constexpr int64_t kCachedElements = 1 << 18;
    const int64_t each = std::max<int64_t>(channels * positions(), 1);
    return std::clamp<int64_t>(kCachedElements / each, 1, std::max<int64_t>(batch, 1));
  }

  // The vectors [batch, channels] of a map of one position each as the positions of one map: lanes
  // then run along the batch.
  FeatureMap vectors() const {
    FeatureMap map = *this;
    map.batch = 1;
    map.batchStride = 0;
    map.size[0] = map.size[1] = 1;
    map.size[2] = batch;
    map.stride[0] = map.stride[1] = 0;
    map.stride[2] = batchStride;
    return map;
  }

  // Where all positions, in row-major order, are one distance apart: that distance in `step`.
  bool isLine(int64_t& step) const {
    int64_t next = 0, count = 1;  // where the axis in front must continue; positions so far
    for (int axis = 2; axis >= 0; --axis) {
      if (size[axis] == 1) continue;
      if (count == 1) {
        step = stride[axis];
      } else if (stride[axis] != next) {
        return false;
      }
      count *= size[axis];
      next = step * count;
    }
    if (count == 1) step = 0;
    return true;
  }

  // The same map with all positions along one axis; only where it isLine(step).
  FeatureMap line(int64_t step) const {
    FeatureMap map = *this;
    map.size[2] = positions();
    map.size[0] = map.size[1] = 1;
    map.stride[0] = map.stride[1] = 0;
    map.stride[2] = step;
    return map;
  }
};

// What passes over a map count as an operation's flops: memory is their work, and takes as long.
inline double passFlops(const Tensor& map, int passes) {
  return 32.0 * passes * static_cast<double>(map.size());
}

}  // namespace fovea
