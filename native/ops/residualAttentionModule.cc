// The attention module of the Residual Attention Network; see lib/ops/residualAttentionModule.ts.
#include <algorithm>
#include <vector>

#include "core/registry.h"
#include "engine/maps/layers.h"
#include "engine/maps/pool.h"
#include "engine/maps/resize.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kMask, kLayers };
enum Param { kVariant, kStage, kBnEps };
enum Variant { kImagenet, kCifar, kPlain };

// The layers in the order of their slots: bottlenecks of three, then the head's two. Each has the
// norm in front of it as a norm of its own slots: weight, bias, mean, variance; then its weight.
class Module {
 public:
  explicit Module(const Call& call) : call_(call), depth_(depthOf(call)), layers_(layersOf()) {}

  int64_t packedFloats() const { return layers_.packedFloats(); }
  void pack(float* packed) const { layers_.pack(packed); }
  void run();
  double flops() const;

 private:
  // How many maps the mask branch pools down to; 0: it keeps the size.
  static int depthOf(const Call& call) {
    const int64_t variant = call.integer(kVariant), stage = call.integer(kStage);
    return variant == kPlain ? 3 : static_cast<int>((variant == kImagenet ? 4 : 3) - stage);
  }
  // Bottlenecks by what they are for, numbered as their slots are.
  int levels() const { return std::max(depth_ - 1, 0); }
  int first() const { return 0; }
  int trunk(int i) const { return 1 + i; }
  int down(int level) const { return 1 + 2 * level; }
  int skip(int level) const { return 2 + 2 * level; }
  int bottom(int i) const { return 3 + 2 * levels() + i; }
  int up(int level) const { return 5 + 3 * levels() - level; }
  int last() const { return 5 + 3 * levels(); }
  int blocks() const { return last() + 1; }

  LayerPack layersOf() const;
  PackedLayer layer(int i) const { return layers_.at(packed_, static_cast<size_t>(i)); }
  // x + the bottleneck of x, and `more` where it is given; `to` may be x.
  void residual(int block, const FeatureMap& x, const FeatureMap& to,
                const FeatureMap& more = {}) const;
  void twice(int block, const FeatureMap& x, const FeatureMap& to) const {
    residual(block, x, to);
    residual(block + 1, to, to);
  }
  void halve(const FeatureMap& x, const FeatureMap& to) const;
  void runEntries(const FeatureMap& x, const FeatureMap& mask, const FeatureMap& out) const;

  const Call& call_;
  int depth_;
  LayerPack layers_;
  const float* packed_ = nullptr;
};

LayerPack Module::layersOf() const {
  std::vector<ConvLayer> layers;
  int slot = kLayers;
  const auto normHere = [&] {
    const NormLayer norm = NormLayer::of(call_, slot, call_.number(kBnEps));
    slot += 4;
    return norm;
  };
  // `count` convolutions, each behind a norm and ReLU: the first one's are applied as it reads, the
  // others' to what the convolution before has summed.
  const auto units = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const NormLayer norm = normHere();
      ConvLayer layer = layerOf(call_.tensor(slot++), {});
      for (int axis = 1; axis < 3; ++axis) layer.shape.padding[axis] = layer.shape.kernel[axis] / 2;
      if (i == 0) {
        layer.before = norm;
      } else {
        layers.back().norm = norm;
      }
      layers.push_back(layer);
    }
  };
  for (int block = 0; block < blocks(); ++block) units(3);
  units(2);
  return LayerPack(call_, std::move(layers));
}

void Module::residual(int block, const FeatureMap& x, const FeatureMap& to,
                      const FeatureMap& more) const {
  const ChainLayer layers[] = {{layer(3 * block), Activation::kRelu},
                               {layer(3 * block + 1), Activation::kRelu},
                               {layer(3 * block + 2)}};
  std::vector<MapStep> steps = {MapStep::add(x)};
  if (more) steps.push_back(MapStep::add(more));
  steps.push_back(MapStep::store(to));
  chain(call_, x, layers, steps);
}

void Module::halve(const FeatureMap& x, const FeatureMap& to) const {
  maxPool(call_, {{3, 3}, {2, 2}, {1, 1}}, x, to);
}

// A map of every size but the first, which has two, is all that it takes: bottlenecks and sums are
// stored where they were read.
void Module::runEntries(const FeatureMap& x, const FeatureMap& mask, const FeatureMap& out) const {
  const bool plain = call_.integer(kVariant) == kPlain;
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const FeatureMap trunkMap = FeatureMap::scratch(x.batch, x.channels, x.size, scratch);
  std::vector<FeatureMap> maps = {FeatureMap::scratch(x.batch, x.channels, x.size, scratch)};
  for (int level = 1; level <= depth_; ++level) {
    const int64_t* above = maps.back().size;
    const int64_t size[] = {1, (above[1] + 1) / 2, (above[2] + 1) / 2};
    maps.push_back(FeatureMap::scratch(x.batch, x.channels, size, scratch));
  }
  const FeatureMap& top = maps[0];
  residual(first(), x, top);
  twice(trunk(0), top, trunkMap);
  for (int level = 1; level < depth_; ++level) {
    halve(maps[static_cast<size_t>(level) - 1], maps[static_cast<size_t>(level)]);
    residual(down(level), maps[static_cast<size_t>(level)], maps[static_cast<size_t>(level)]);
  }
  if (depth_ > 0) halve(maps[static_cast<size_t>(depth_) - 1], maps.back());
  twice(bottom(0), maps.back(), maps.back());
  for (int level = depth_ - 1; level >= 0; --level) {
    // The map of this size becomes what is added to the one that is stretched to it: the skip
    // connection and, but for the plain variant, the map itself, or the trunk.
    const FeatureMap& here = maps[static_cast<size_t>(level)];
    std::vector<MapStep> steps;
    if (level > 0) {
      residual(skip(level), here, here, plain ? FeatureMap() : here);
      steps.push_back(MapStep::add(here));
    } else if (!plain) {
      steps.push_back(MapStep::add(trunkMap));
    }
    steps.push_back(MapStep::store(here));
    resize(call_, maps[static_cast<size_t>(level) + 1], here.size, true, steps);
    if (level > 0) residual(up(level), here, here);
  }
  const ChainLayer head[] = {{layer(3 * blocks()), Activation::kRelu},
                             {layer(3 * blocks() + 1), Activation::kSigmoid}};
  std::vector<MapStep> gate;
  if (mask) gate.push_back(MapStep::store(mask));
  gate.push_back(MapStep::modulate(trunkMap));
  gate.push_back(MapStep::store(top));
  chain(call_, top, head, gate);
  residual(last(), top, out);
}

void Module::run() {
  const FeatureMap x = FeatureMap::of(call_.tensor(kX)), out = FeatureMap::of(call_.tensor(kOut));
  const FeatureMap mask = FeatureMap::of(call_.tensor(kMask));
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  packed_ = layers_.provide(scratch);
  const int64_t group = x.entriesTogether();
  for (int64_t b = 0; b < x.batch; b += group) {
    const int64_t count = std::min(group, x.batch - b);
    runEntries(x.entries(b, count), mask.entries(b, count), out.entries(b, count));
  }
}

double Module::flops() const {
  const Tensor& x = call_.tensor(kX);
  // Two and an eighth C a bottleneck, two C a layer of the head; sizes fall by 4.
  const double pooled = depth_ > 0 ? 0.25 * (3 * levels() + 2) : 2;
  return static_cast<double>(x.size()) * static_cast<double>(x.shape[1]) *
         (2.125 * (4 + pooled) + 4);
}

Module moduleOf(const Call& call) { return Module(call); }
void run(const Call& call) { moduleOf(call).run(); }
double flops(const Call& call) { return moduleOf(call).flops(); }

const Register registered({"residualAttentionModule", run, flops, Packed<moduleOf>::floats,
                           Packed<moduleOf>::pack});

}  // namespace

}  // namespace fovea
