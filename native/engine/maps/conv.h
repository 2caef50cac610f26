// Convolutions over feature maps, in two and three dimensions: any stride, padding, dilation and
// groups, maps of any layout, and whatever follows the sum before the result is written.
//
//   ConvShape shape{.inChannels = 64, .outChannels = 64, .kernel = {1, 3, 3}};
//   float* packed = scratch.floats(convPackedFloats(shape));  // or prepared long before
//   packConv(call, shape, weight, packed);
//   const MapStep steps[] = {MapStep::affine({.shift = bias}), MapStep::store(out)};
//   conv(call, {shape, x, packed, {}, steps});
//
// The bits of an element depend on the operands of its own sum alone: not on its neighbours, the
// batch, any layout, the schedule, or when the weights were packed.
#pragma once
#include <cstdint>
#include <limits>
#include <span>

#include "core/call.h"
#include "core/tensor.h"
#include "engine/maps/featureMap.h"
#include "engine/maps/mapSteps.h"

namespace fovea {

// Axes are depth, height, width; a two-dimensional convolution leaves the first as it is.
struct ConvShape {
  int64_t inChannels = 0, outChannels = 0;
  int64_t groups = 1;
  int64_t kernel[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1};
  int64_t padding[3] = {0, 0, 0};
  int64_t dilation[3] = {1, 1, 1};

  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  bool padded() const { return padding[0] != 0 || padding[1] != 0 || padding[2] != 0; }
  // Below 1 where the kernel does not fit.
  int64_t outSize(int axis, int64_t size) const {
    const int64_t room = size + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1;
    return room < 0 ? 0 : room / stride[axis] + 1;
  }
};

// What is applied to the elements of the input as they are read; zeros of the padding stay zeros.
struct ConvInput {
  ChannelAffine affine;
  bool relu = false;
};

struct ConvProblem {
  ConvShape shape;
  FeatureMap x;
  const float* weights = nullptr;  // by packConv
  ConvInput input;
  // Applied to each sum, ending in a store to a map of the output's size.
  std::span<const MapStep> steps;
};

// Scratch a thread: at most 0.9 MB, more only where one row of every tap of one input channel, or
// one row of 8 output channels, is larger.
void conv(const Call& call, const ConvProblem& problem);

// Packs `weight` [outChannels, inChannels / groups, kernel...] of any strides; its kernel axes may
// be fewer than three, or none where the kernel is 1.
int64_t convPackedFloats(const ConvShape& shape);
void packConv(const Call& call, const ConvShape& shape, const Tensor& weight, float* packed);

double convFlops(const ConvShape& shape, const FeatureMap& x);

}  // namespace fovea
