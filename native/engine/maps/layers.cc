#include "engine/maps/layers.h"

#include <algorithm>
#include <cmath>

#include "core/ceilDiv.h"
#include "engine/matrix/preparedWeights.h"

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

int64_t ConvLayer::behindFloats() const {
  return norm.mean.described() ? norm.packedFloats() : bias.described() ? shape.outChannels : 0;
}

int64_t ConvLayer::packedFloats() const {
  constexpr int64_t kLine = 16;  // the weights of the next layer begin at a cache line too
  const int64_t floats = convPackedFloats(shape) + behindFloats() +
                         (before.mean.described() ? before.packedFloats() : 0);
  return ceilDiv(floats, kLine) * kLine;
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
  if (before.mean.described()) before.pack(behind + behindFloats());
}

ChannelAffine ConvLayer::affine(const float* packed) const {
  const float* behind = packed + convPackedFloats(shape);
  if (norm.mean.described()) return norm.at(behind);
  if (bias.described()) return {nullptr, nullptr, behind};
  return {};
}

ConvInput ConvLayer::input(const float* packed) const {
  if (!before.mean.described()) return {};
  return {before.at(packed + convPackedFloats(shape) + behindFloats()), true};
}

ConvLayer layerOf(const Tensor& weight, const Tensor& bias, const NormLayer& norm) {
  ConvLayer layer;
  layer.weight = weight;
  layer.bias = bias;
  layer.norm = norm;
  layer.shape.outChannels = weight.shape[0];
  layer.shape.inChannels = weight.shape[1];
  for (int axis = 2; axis < weight.rank; ++axis) {
    layer.shape.kernel[3 - weight.rank + axis] = weight.shape[axis];
  }
  return layer;
}

void PackedLayer::run(const Call& call, const FeatureMap& x, std::span<const MapStep> steps) const {
  MapStep all[MapSteps::kMost];
  size_t count = 0;
  if (const ChannelAffine by = layer->affine(packed)) {
    // An activation right behind it is part of the same step.
    const bool joins = steps[0].kind == MapStep::Kind::kAffine && !steps[0].channel;
    all[count++] = MapStep::affine(by, joins ? steps[0].activation : Activation::kNone);
    if (joins) steps = steps.subspan(1);
  }
  for (const MapStep& step : steps.first(std::min(steps.size(), MapSteps::kMost - count))) {
    all[count++] = step;
  }
  conv(call,
       {layer->shape, x, layer->weights(packed), layer->input(packed), std::span(all, count)});
}

int64_t LayerPack::packedFloats() const {
  int64_t sum = kPreparedSlack;
  for (const ConvLayer& layer : layers_) sum += layer.packedFloats();
  return sum;
}

void LayerPack::pack(float* array) const {
  float* packed = prepareAt(array);
  for (const ConvLayer& layer : layers_) {
    layer.pack(call_, packed);
    packed += layer.packedFloats();
  }
}

const float* LayerPack::provide(Scratch& scratch) const {
  return preparedAt(
      packedWeights(call_, packedFloats(), scratch, [&](float* array) { pack(array); }));
}

PackedLayer LayerPack::at(const float* packed, size_t layer) const {
  for (size_t before = 0; before < layer; ++before) packed += layers_[before].packedFloats();
  return {&layers_[layer], packed};
}

void chain(const Call& call, const FeatureMap& x, std::span<const ChainLayer> layers,
           std::span<const MapStep> steps) {
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  std::vector<FeatureMap> between;
  int64_t most = 0;
  for (size_t i = 0; i + 1 < layers.size(); ++i) {
    const FeatureMap& from = i == 0 ? x : between[i - 1];
    const ConvShape& shape = layers[i].layer.layer->shape;
    int64_t size[3];
    for (int axis = 0; axis < 3; ++axis) size[axis] = shape.outSize(axis, from.size[axis]);
    between.push_back(FeatureMap::contiguous(nullptr, x.batch, shape.outChannels, size));
    most = std::max(most, x.batch * shape.outChannels * between.back().positions());
  }
  float* memory[2] = {};  // of every second one
  for (size_t i = 0; i < between.size(); ++i) {
    if (i < 2) memory[i] = scratch.floats(most);
    between[i].data = memory[i % 2];
  }
  std::vector<MapStep> end;
  for (size_t i = 0; i < layers.size(); ++i) {
    const auto& [layer, then] = layers[i];
    end.clear();
    if (then != Activation::kNone) end.push_back(MapStep::activate(then));
    if (i < between.size()) {
      end.push_back(MapStep::store(between[i]));
    } else {
      end.insert(end.end(), steps.begin(), steps.end());
    }
    layer.run(call, i == 0 ? x : between[i - 1], end);
  }
}

void chain(const Call& call, const FeatureMap& x, std::span<const ChainLayer> layers,
           const FeatureMap& out) {
  const MapStep store[] = {MapStep::store(out)};
  chain(call, x, layers, store);
}

void FoldedLayer::fold(float* rows, float* biases) const {
  const bool normed = norm.mean.described();
  for (int64_t o = 0; o < outs(); ++o) {
    const double scale =
        normed ? element(norm.weight, o, 1) / std::sqrt(element(norm.variance, o, 1) + norm.eps)
               : 1;
    const double centre = normed ? element(norm.mean, o, 0) : 0;
    const double shift = normed ? element(norm.bias, o, 0) : 0;
    const float* row = weight.floats() + o * weight.strides[0];
    for (int64_t i = 0; i < ins(); ++i) {
      rows[o * ins() + i] =
          static_cast<float>(static_cast<double>(row[i * weight.strides[1]]) * scale);
    }
    biases[o] = static_cast<float>((element(bias, o, 0) - centre) * scale + shift);
  }
}

}  // namespace fovea
