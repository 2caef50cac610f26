// The grid attention gate of Attention U-Net; see lib/ops/attentionGate.ts.
#include <algorithm>
#include <array>

#include "core/parallel.h"
#include "core/registry.h"
#include "engine/entryLoop.h"
#include "engine/layers.h"
#include "engine/resize.h"
#include "kernels/rows.h"

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

LayerPack layersOf(const Call& c) {
  ConvLayer theta = layerOf(c.tensor(kTheta), {});
  std::copy_n(theta.shape.kernel, 3, theta.shape.stride);
  const NormLayer norm = NormLayer::of(c, kNorm, c.number(kEps));
  return LayerPack(c, {theta, layerOf(c.tensor(kPhi), c.tensor(kPhiBias)),
                       layerOf(c.tensor(kPsi), c.tensor(kPsiBias)),
                       layerOf(c.tensor(kW), c.tensor(kWBias), norm)});
}

bool sameSize(const FeatureMap& map, const int64_t* size) {
  return std::equal(map.size, map.size + 3, size);
}

// relu(theta x + resized(phi gating)) over the coarse grid, one channel of it by psi.
FeatureMap gridOf(const Call& c, const LayerPack& layers, const float* packed, const FeatureMap& x,
                  const FeatureMap& gating, Scratch& scratch) {
  const PackedLayer theta = layers.at(packed, kThetaLayer), phi = layers.at(packed, kPhiLayer);
  const ConvShape& shape = theta.layer->shape;
  const int64_t mode = c.integer(kMode), inner = shape.outChannels;
  int64_t size[3];
  for (int axis = 0; axis < 3; ++axis) size[axis] = shape.outSize(axis, x.size[axis]);
  const FeatureMap grid = FeatureMap::scratch(x.batch, 1, size, scratch);
  const Scratch::Scope scope(scratch);
  const FeatureMap hidden = FeatureMap::scratch(x.batch, inner, size, scratch);
  if (sameSize(gating, size)) {
    phi.run(c, gating, {MapStep::store(hidden)});
  } else {
    const FeatureMap coarse = FeatureMap::scratch(x.batch, inner, gating.size, scratch);
    phi.run(c, gating, {MapStep::store(coarse)});
    resize(c, coarse, size, c.flag(kAlignCorners), std::array{MapStep::store(hidden)});
  }
  const Activation then = mode == kDebug ? Activation::kSoftplus : Activation::kRelu;
  theta.run(c, x, {MapStep::add(hidden), MapStep::activate(then), MapStep::store(hidden)});
  const Activation last = mode == kResidual ? Activation::kNone : Activation::kSigmoid;
  layers.at(packed, kPsiLayer).run(c, hidden, {MapStep::activate(last), MapStep::store(grid)});
  if (mode == kResidual) {
    parallelFor(c, grid.batch, [&](int64_t b, Scratch&) {
      float* row = grid.at(b, 0, 0, 0, 0);
      rows().softmax(row, row, grid.positions());
    });
  }
  return grid;
}

void run(const Call& c) {
  Scratch& own = Scratch::ofThread();
  const Scratch::Scope scope(own);
  const LayerPack layers = layersOf(c);
  const float* packed = layers.provide(own);
  const FeatureMap x = FeatureMap::of(c.tensor(kX)), gating = FeatureMap::of(c.tensor(kGating));
  const FeatureMap out = FeatureMap::of(c.tensor(kOut));
  const FeatureMap attention = FeatureMap::of(c.tensor(kAttention));
  forEntries(c, x, [&](int64_t first, int64_t count, Scratch& scratch) {
    const FeatureMap from = x.entries(first, count);
    FeatureMap gate = gridOf(c, layers, packed, from, gating.entries(first, count), scratch);
    if (attention || !sameSize(gate, x.size)) {
      const FeatureMap fine = attention.entries(first, count, 1, x.size, scratch);
      resize(c, gate, x.size, c.flag(kAlignCorners), std::array{MapStep::store(fine)});
      gate = fine;
    }
    // A convolution of single positions: gating its sums is gating x, and x is read in place.
    const PackedLayer last = layers.at(packed, kWLayer);
    const MapStep steps[] = {MapStep::multiply(gate),
                             MapStep::affine(last.layer->affine(last.packed)),
                             MapStep::store(out.entries(first, count))};
    conv(c, {last.layer->shape, from, last.layer->weights(last.packed), {}, steps});
  });
}

double flops(const Call& c) {
  const LayerPack layers = layersOf(c);
  const FeatureMap x = FeatureMap::of(c.tensor(kX)), gating = FeatureMap::of(c.tensor(kGating));
  return convFlops(layers.layer(kThetaLayer).shape, x) +
         convFlops(layers.layer(kPhiLayer).shape, gating) +
         convFlops(layers.layer(kWLayer).shape, x);
}

const Register registered({"attentionGate", run, flops, Packed<layersOf>::floats,
                           Packed<layersOf>::pack});

}  // namespace

}  // namespace fovea
