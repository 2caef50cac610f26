// Layers as checkpoints store them: tensors of any strides become packed floats, once, in prepared
// weights or in the scratch of a call, and from there on data of the engine.
#pragma once
#include <cstdint>

#include "core/call.h"
#include "engine/conv.h"
#include "engine/mapSteps.h"

namespace fovea {

// A batch norm with running statistics. `weight` and `bias` are both there or neither.
struct NormLayer {
  Tensor mean, variance, weight, bias;
  double eps = 1e-5;

  int64_t channels() const { return mean.shape[0]; }
  int64_t packedFloats() const { return 3 * channels(); }
  // `before` is a bias that is added to what is normalised; absent: none.
  void pack(float* packed, const Tensor& before = {}) const;
  ChannelAffine at(const float* packed) const {
    return {packed, packed + channels(), packed + 2 * channels()};
  }
};

// A convolution, its bias and the norm behind it, each of the two where it is there: the norm is a
// scale and a shift of the finished sums and costs no pass of its own.
struct ConvLayer {
  ConvShape shape;
  Tensor weight, bias;
  NormLayer norm;

  int64_t packedFloats() const;
  void pack(const Call& call, float* packed) const;
  const float* weights(const float* packed) const { return packed; }
  // What follows the sum: nothing at all, a bias, or a norm.
  ChannelAffine affine(const float* packed) const;
};

}  // namespace fovea
