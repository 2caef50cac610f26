// The grid attention gate of Attention U-Net; see lib/ops/attentionGate.ts.
#include <algorithm>
#include <array>

#include "core/parallel.h"
#include "core/registry.h"
#include "engine/maps/entryLoop.h"
#include "engine/maps/layers.h"
#include "engine/maps/resize.h"
#include "kernels/matrix/rows.h"

namespace fovea {

namespace {

enum Slot {
  kX,
  kGating,
  kOut,
  kAttention,
  kTheta,
  kPhi,
  kPhiBias,
  kPsi,
  kPsiBias,
  kW,
  kWBias,
  kNorm
};
enum Param { kMode, kAlignCorners, kEps };
enum Mode { kConcatenation, kDebug, kResidual };
enum Layer { kThetaLayer, kPhiLayer, kPsiLayer, kWLayer };

LayerPack layersOf(const Call& call) {
  ConvLayer theta = layerOf(call.tensor(kTheta), {});
  std::copy_n(theta.shape.kernel, 3, theta.shape.stride);
  const NormLayer norm = NormLayer::of(call, kNorm, call.number(kEps));
  return LayerPack(call, {theta, layerOf(call.tensor(kPhi), call.tensor(kPhiBias)),
                          layerOf(call.tensor(kPsi), call.tensor(kPsiBias)),
                          layerOf(call.tensor(kW), call.tensor(kWBias), norm)});
}

bool sameSize(const FeatureMap& map, const int64_t* size) {
  return std::equal(map.size, map.size + 3, size);
}

// relu(theta x + resized(phi gating)) over the coarse grid, one channel of it by psi.
FeatureMap gridOf(const Call& call, const LayerPack& layers, const float* packed,
                  const FeatureMap& x, const FeatureMap& gating, Scratch& scratch) {
  const PackedLayer theta = layers.at(packed, kThetaLayer), phi = layers.at(packed, kPhiLayer);
  const ConvShape& shape = theta.layer->shape;
  const int64_t mode = call.integer(kMode), inner = shape.outChannels;
  int64_t size[3];
  for (int axis = 0; axis < 3; ++axis) size[axis] = shape.outSize(axis, x.size[axis]);
  const FeatureMap grid = FeatureMap::scratch(x.batch, 1, size, scratch);
  const Scratch::Scope scope(scratch);
  const FeatureMap hidden = FeatureMap::scratch(x.batch, inner, size, scratch);
  if (sameSize(gating, size)) {
    phi.run(call, gating, {MapStep::store(hidden)});
  } else {
    const FeatureMap coarse = FeatureMap::scratch(x.batch, inner, gating.size, scratch);
    phi.run(call, gating, {MapStep::store(coarse)});
    resize(call, coarse, size, call.flag(kAlignCorners), std::array{MapStep::store(hidden)});
  }
  const Activation then = mode == kDebug ? Activation::kSoftplus : Activation::kRelu;
  theta.run(call, x, {MapStep::add(hidden), MapStep::activate(then), MapStep::store(hidden)});
  const Activation last = mode == kResidual ? Activation::kNone : Activation::kSigmoid;
  layers.at(packed, kPsiLayer).run(call, hidden, {MapStep::activate(last), MapStep::store(grid)});
  if (mode == kResidual) {
    parallelFor(call, grid.batch, [&](int64_t b, Scratch&) {
      float* row = grid.at(b, 0, 0, 0, 0);
      rows().softmax(row, row, grid.positions());
    });
  }
  return grid;
}

void run(const Call& call) {
  Scratch& own = Scratch::ofThread();
  const Scratch::Scope scope(own);
  const LayerPack layers = layersOf(call);
  const float* packed = layers.provide(own);
  const FeatureMap x = FeatureMap::of(call.tensor(kX)),
                   gating = FeatureMap::of(call.tensor(kGating));
  const FeatureMap out = FeatureMap::of(call.tensor(kOut));
  const FeatureMap attention = FeatureMap::of(call.tensor(kAttention));
  forEntries(call, x, [&](int64_t first, int64_t count, Scratch& scratch) {
    const FeatureMap from = x.entries(first, count);
    FeatureMap gate = gridOf(call, layers, packed, from, gating.entries(first, count), scratch);
    if (attention || !sameSize(gate, x.size)) {
      const FeatureMap fine = attention.entries(first, count, 1, x.size, scratch);
      resize(call, gate, x.size, call.flag(kAlignCorners), std::array{MapStep::store(fine)});
      gate = fine;
    }
    // A convolution of single positions: gating its sums is gating x, and x is read in place.
    const PackedLayer last = layers.at(packed, kWLayer);
    const MapStep steps[] = {MapStep::multiply(gate),
                             MapStep::affine(last.layer->affine(last.packed)),
                             MapStep::store(out.entries(first, count))};
    conv(call, {last.layer->shape, from, last.layer->weights(last.packed), {}, steps});
  });
}

double flops(const Call& call) {
  const LayerPack layers = layersOf(call);
  const FeatureMap x = FeatureMap::of(call.tensor(kX)),
                   gating = FeatureMap::of(call.tensor(kGating));
  return convFlops(layers.layer(kThetaLayer).shape, x) +
         convFlops(layers.layer(kPhiLayer).shape, gating) +
         convFlops(layers.layer(kWLayer).shape, x);
}

const Register registered({"attentionGate", run, flops, Packed<layersOf>::floats,
                           Packed<layersOf>::pack});

}  // namespace

}  // namespace fovea
