#include "engine/layers.h"

#include <cmath>

namespace fovea {

namespace {

double element(const Tensor& vector, int64_t i, double otherwise) {
  return vector ? static_cast<double>(vector.floats()[i * vector.strides[0]]) : otherwise;
}

}  // namespace

void NormLayer::pack(float* packed, const Tensor& before) const {
  const int64_t n = channels();
  for (int64_t c = 0; c < n; ++c) {
    packed[c] = static_cast<float>(element(mean, c, 0) - element(before, c, 0));
    packed[n + c] =
        static_cast<float>(element(weight, c, 1) / std::sqrt(element(variance, c, 1) + eps));
    packed[2 * n + c] = static_cast<float>(element(bias, c, 0));
  }
}

int64_t ConvLayer::packedFloats() const {
  const int64_t affine = norm.mean.described() ? norm.packedFloats()
                         : bias.described()    ? shape.outChannels
                                               : 0;
  return convPackedFloats(shape) + affine;
}

void ConvLayer::pack(const Call& call, float* packed) const {
  packConv(call, shape, weight, packed);
  float* behind = packed + convPackedFloats(shape);
  if (norm.mean.described()) {
    norm.pack(behind, bias);
  } else if (bias.described()) {
    for (int64_t c = 0; c < shape.outChannels; ++c) {
      behind[c] = static_cast<float>(element(bias, c, 0));
    }
  }
}

ChannelAffine ConvLayer::affine(const float* packed) const {
  const float* behind = packed + convPackedFloats(shape);
  if (norm.mean.described()) return norm.at(behind);
  if (bias.described()) return {nullptr, nullptr, behind};
  return {};
}

}  // namespace fovea
