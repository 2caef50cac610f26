// Relation-aware attention (RGA) over the nodes of a map: its positions, whose features are the
// channels, or its channels, whose features are the positions. For node p of N, with
//   theta, phi, gx = relu(norm(W f))              embeddings of the node's features f
//   G[i, j] = theta_i . phi_j                     how i relates to j
//   R_p = relu(norm(W_gg [G[p, 0..N), G[0..N, p)]))
//   attention_p = sigmoid(norm(W_3 relu(norm(W_0 [mean gx_p, R_p]))))
// The relations G are never there: W_gg [G[p, :], G[:, p]] = (W_1 phi) theta_p + (W_2 theta) phi_p
// with W_gg = [W_1, W_2], so an image costs and holds what grows as N, not as N^2.
#pragma once
#include <cstdint>

#include "core/call.h"
#include "core/scratch.h"
#include "engine/maps/featureMap.h"
#include "engine/maps/layers.h"

namespace fovea {

enum class Nodes : uint8_t { kPositions, kChannels };

class RelationAttention {
 public:
  // gg maps 2 N relations; reduce and score are W_0 and W_3.
  struct Layers {
    FoldedLayer theta, phi, gx, gg, reduce, score;
  };

  RelationAttention(Nodes nodes, const Layers& layers);

  int64_t packedFloats() const;
  void pack(const Call& call, float* packed) const;

  int64_t nodes() const { return nodes_; }
  // attention[b * nodes + p]. Where `featureGate` is given, features are first multiplied by it,
  // featureGate[b * features + k]. Scratch: 3 embedded floats a node and batch entry; a thread,
  // some 64 nodes of a map whose positions are no line, and 1 + related + hidden floats a node.
  void run(const Call& call, const float* packed, const FeatureMap& x, const float* featureGate,
           float* attention) const;
  double flops(int64_t batch) const;

 private:
  // A layer in the packed weights: where its matrix and its biases begin.
  struct Part {
    int64_t weight, bias;
  };

  void embed(const Call& call, const float* packed, const FeatureMap& x, const float* featureGate,
             float* embedded) const;
  void relate(const float* packed, float* embedded, float* attention, Scratch& scratch) const;

  Nodes kind_;
  Layers layers_;
  int64_t nodes_, features_;
  int64_t embedded_, related_,
      hidden_;  // channels of theta, phi and gx; of R; of the layer between
  Part embed_, gg_, reduce_, score_;
  int64_t floats_;
};

}  // namespace fovea
