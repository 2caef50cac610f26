// What rgaSpatial, rgaChannel and rgaModule share: x gated by one relation-aware attention, or by
// two, one after the other.
#pragma once
#include <vector>

#include "core/registry.h"
#include "core/scratch.h"
#include "engine/maps/mapPass.h"
#include "engine/maps/relationAttention.h"
#include "engine/matrix/preparedWeights.h"

namespace fovea {

class RelationGate {
 public:
  // Slots: x, out, the attentions that may be asked for, then from `weights` on the halves'
  // weights.
  RelationGate(const Call& call, int weights, double eps)
      : call_(call), slot_(weights), eps_(eps) {}

  // One more half, whose attention is the output in slot `out`. Its weights: theta, phi, gg, gx,
  // W.0 and W.3, each a weight and a norm (weight, bias, mean, variance).
  void add(Nodes nodes, int out) {
    RelationAttention::Layers layers;
    for (FoldedLayer* layer :
         {&layers.theta, &layers.phi, &layers.gg, &layers.gx, &layers.reduce, &layers.score}) {
      layer->weight = call_.tensor(slot_);
      layer->norm = NormLayer::of(call_, slot_ + 1, eps_);
      slot_ += 5;
    }
    halves_.push_back({RelationAttention(nodes, layers), nodes, out});
  }

  int64_t packedFloats() const {
    int64_t sum = 0;
    for (const Half& half : halves_) sum += half.relation.packedFloats();
    return sum;
  }

  void pack(float* packed) const {
    for (const Half& half : halves_) {
      half.relation.pack(call_, packed);
      packed += half.relation.packedFloats();
    }
  }

  // x is read once for each half, and once to be gated by all of them.
  void run() const {
    const FeatureMap x = FeatureMap::of(call_.tensor(kX));
    Scratch& scratch = Scratch::ofThread();
    const Scratch::Scope scope(scratch);
    const float* packed =
        packedWeights(call_, packedFloats(), scratch, [&](float* array) { pack(array); });
    std::vector<MapStep> steps;
    const float* before = nullptr;  // the attention of the half before
    for (const Half& half : halves_) {
      float* attention = scratch.floats(x.batch * half.relation.nodes());
      half.relation.run(call_, packed, x, before, attention);
      packed += half.relation.packedFloats();
      before = attention;
      const bool overPositions = half.nodes == Nodes::kPositions;
      const FeatureMap gate =
          FeatureMap::contiguous(attention, x.batch, overPositions ? 1 : x.channels,
                                 overPositions ? x.size : FeatureMap::kPoint);
      if (const Tensor& wanted = call_.tensor(half.out)) {
        const MapStep store[] = {MapStep::store(FeatureMap::of(wanted))};
        mapPass(call_, gate, store);
      }
      steps.push_back(MapStep::multiply(gate));
    }
    steps.push_back(MapStep::store(FeatureMap::of(call_.tensor(kOut))));
    mapPass(call_, x, steps);
  }

  double flops() const {
    const Tensor& x = call_.tensor(kX);
    double sum = 2.0 * static_cast<double>(x.size());
    for (const Half& half : halves_) sum += half.relation.flops(x.shape[0]);
    return sum;
  }

 private:
  static constexpr int kX = 0, kOut = 1;
  struct Half {
    RelationAttention relation;
    Nodes nodes;
    int out;
  };
  const Call& call_;
  int slot_;
  double eps_;
  std::vector<Half> halves_;
};

}  // namespace fovea
