// What conv2d and conv3d share: their slots and parameters are the same but for the number of axes.
#pragma once
#include "core/registry.h"
#include "core/scratch.h"
#include "engine/maps/layers.h"

namespace fovea {

template <int kAxes>
struct Convolution {
  enum Slot { kX, kOut, kWeight, kBias };
  // stride, padding and dilation, an element an axis; then groups.
  enum Param { kStride, kPadding = kAxes, kDilation = 2 * kAxes, kGroups = 3 * kAxes };

  static ConvLayer layer(const Call& call) {
    ConvLayer layer;
    layer.weight = call.tensor(kWeight);
    layer.bias = call.tensor(kBias);
    ConvShape& shape = layer.shape;
    shape.groups = call.integer(kGroups);
    shape.outChannels = layer.weight.shape[0];
    shape.inChannels = layer.weight.shape[1] * shape.groups;
    for (int axis = 0; axis < kAxes; ++axis) {
      const int to = 3 - kAxes + axis;
      shape.kernel[to] = layer.weight.shape[2 + axis];
      shape.stride[to] = call.integer(kStride + axis);
      shape.padding[to] = call.integer(kPadding + axis);
      shape.dilation[to] = call.integer(kDilation + axis);
    }
    return layer;
  }

  static LayerPack layers(const Call& call) { return LayerPack(call, {layer(call)}); }

  static void run(const Call& call) {
    Scratch& scratch = Scratch::ofThread();
    const Scratch::Scope scope(scratch);
    const LayerPack pack = layers(call);
    const float* packed = pack.provide(scratch);
    const ConvLayer& layer = pack.layer(0);
    const MapStep end[] = {MapStep::affine(layer.affine(packed)),
                           MapStep::store(FeatureMap::of(call.tensor(kOut)))};
    // Without a bias the affine step would change nothing.
    const bool plain = !end[0].channel;
    conv(call, {layer.shape,
                FeatureMap::of(call.tensor(kX)),
                layer.weights(packed),
                {},
                std::span(end).subspan(plain ? 1 : 0)});
  }

  static double flops(const Call& call) {
    return convFlops(layer(call).shape, FeatureMap::of(call.tensor(kX)));
  }
};

}  // namespace fovea
