// Layers as checkpoints store them: tensors of any strides become packed floats, once, in prepared
// weights or in the scratch of a call, and from there on data of the engine.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "core/call.h"
#include "core/scratch.h"
#include "engine/maps/conv.h"
#include "engine/maps/mapSteps.h"

namespace fovea {

// A batch norm with running statistics. `weight` and `bias` are both there or neither.
struct NormLayer {
  Tensor mean, variance, weight, bias;
  double eps = 1e-5;

  // Its slots lie together: weight, bias, mean, variance.
  static NormLayer of(const Call& call, int slot, double eps) {
    return {call.tensor(slot + 2), call.tensor(slot + 3), call.tensor(slot), call.tensor(slot + 1),
            eps};
  }
  int64_t channels() const { return mean.shape[0]; }
  int64_t packedFloats() const { return 3 * channels(); }
  // `before` is a bias that is added to what is normalised; absent: none.
  void pack(float* packed, const Tensor& before = {}) const;
  ChannelAffine at(const float* packed) const {
    return {packed, packed + channels(), packed + 2 * channels()};
  }
};

// A convolution, linear layers included (their map has one position), its bias and the norm behind
// it, each of the two where it is there: the norm is a scale and a shift of the finished sums and
// costs no pass of its own.
struct ConvLayer {
  ConvShape shape;
  Tensor weight, bias;
  NormLayer norm;
  // A norm and ReLU in front (pre-activation), applied to x as it is read: no pass either. It
  // cannot be folded into the weights, for the ReLU lies between.
  NormLayer before = {};

  int64_t packedFloats() const;
  void pack(const Call& call, float* packed) const;
  const float* weights(const float* packed) const { return packed; }
  // What follows the sum: nothing at all, a bias, or a norm.
  ChannelAffine affine(const float* packed) const;
  ConvInput input(const float* packed) const;

 private:
  int64_t behindFloats() const;
};

// The layer of a weight [out, in, kernel...] without groups, strides or padding.
ConvLayer layerOf(const Tensor& weight, const Tensor& bias, const NormLayer& norm = {});

// A layer and where it lies packed.
struct PackedLayer {
  const ConvLayer* layer = nullptr;
  const float* packed = nullptr;

  // Its bias and norm, then the steps, which end in a store.
  void run(const Call& call, const FeatureMap& x, std::span<const MapStep> steps) const;
  void run(const Call& call, const FeatureMap& x, std::initializer_list<MapStep> steps) const {
    run(call, x, std::span(steps.begin(), steps.size()));
  }
};

// The layers of an operation, packed one after the other, each at a cache line.
class LayerPack {
 public:
  LayerPack(const Call& call, std::vector<ConvLayer> layers)
      : call_(call), layers_(std::move(layers)) {}

  int64_t packedFloats() const;
  void pack(float* array) const;
  // The packed layers, at a cache line: those of the call where it has some, else packed into
  // scratch now.
  const float* provide(Scratch& scratch) const;
  PackedLayer at(const float* packed, size_t layer) const;
  const ConvLayer& layer(size_t i) const { return layers_[i]; }
  size_t size() const { return layers_.size(); }

 private:
  const Call& call_;
  std::vector<ConvLayer> layers_;
};

// One layer behind the other, each with its activation; of what lies between two, the last two maps
// are in scratch. The steps follow the last activation and end in a store; x may be stored to.
struct ChainLayer {
  PackedLayer layer;
  Activation then = Activation::kNone;
};
void chain(const Call& call, const FeatureMap& x, std::span<const ChainLayer> layers,
           std::span<const MapStep> steps);
void chain(const Call& call, const FeatureMap& x, std::span<const ChainLayer> layers,
           const FeatureMap& out);

// A linear layer, or a convolution of one tap, for matrix products: the norm behind it is folded
// into the weights and the bias in float64. weight [out, in, 1...], of any strides.
struct FoldedLayer {
  Tensor weight, bias;
  NormLayer norm;

  int64_t outs() const { return weight.shape[0]; }
  int64_t ins() const { return weight.shape[1]; }
  // A row an output, outs() biases.
  void fold(float* rows, float* biases) const;
};

}  // namespace fovea
