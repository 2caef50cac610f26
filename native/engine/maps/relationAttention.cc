#include "engine/maps/relationAttention.h"

#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "engine/matrix/gemm.h"
#include "engine/matrix/preparedWeights.h"
#include "kernels/maps/mapRow.h"
#include "kernels/matrix/copy.h"
#include "kernels/matrix/rows.h"

namespace fovea {

namespace {

// Nodes that are embedded together: a few tens of microseconds.
constexpr int64_t kTaskNodes = 64;

// Nodes [first, first + count) of an entry as rows of their features, where they lie or, where
// their positions are no line, gathered.
MatrixRows nodesOf(const FeatureMap& x, Nodes kind, int64_t b, int64_t first, int64_t count,
                   Scratch& scratch) {
  const bool channels = kind == Nodes::kChannels;
  int64_t step;
  if (x.isLine(step)) {
    return channels ? MatrixRows(x.at(b, first, 0, 0, 0), x.channelStride, step)
                    : MatrixRows(x.line(step).at(b, 0, 0, 0, first), step, x.channelStride);
  }
  const int64_t width = x.size[2];
  if (channels) {
    float* to = scratch.floats(count * x.positions());
    for (int64_t y = 0; y < x.size[1]; ++y) {
      copy().tile(x.at(b, first, 0, y, 0), x.channelStride, x.stride[2], to + y * width,
                  x.positions(), 1, count, width);
    }
    return MatrixRows(to, x.positions(), 1);
  }
  float* to = scratch.floats(count * x.channels);
  for (int64_t done = 0; done < count;) {
    const int64_t at = first + done, column = at % width;
    const int64_t run = std::min(width - column, count - done);
    copy().tile(x.at(b, 0, 0, at / width, column), x.stride[2], x.channelStride,
                to + done * x.channels, x.channels, 1, run, x.channels);
    done += run;
  }
  return MatrixRows(to, x.channels, 1);
}

// c = activation(a b^T + bias) on the calling thread.
void product(int64_t rows, int64_t columns, int64_t depth, const MatrixRows& a,
             const GemmColumns& b, const float* bias, Activation activation, const MatrixRows& c,
             Scratch& scratch) {
  GemmProblem p;
  p.rows = rows;
  p.columns = columns;
  p.depth = depth;
  p.a.matrix = a;
  p.b = b;
  p.epilogue.bias = bias;
  p.epilogue.activation = activation;
  p.c = c;
  gemmBlock(p, {0, rows}, {0, columns}, scratch);
}

GemmColumns panels(const float* packed) { return {packed, {}, {}}; }
GemmColumns matrix(const MatrixRows& columns) { return {nullptr, columns, {}}; }

}  // namespace

RelationAttention::RelationAttention(Nodes nodes, const Layers& layers)
    : kind_(nodes),
      layers_(layers),
      nodes_(layers.gg.ins() / 2),
      features_(layers.theta.ins()),
      embedded_(layers.theta.outs()),
      related_(layers.gg.outs()),
      hidden_(layers.reduce.outs()),
      floats_(0) {
  // Every part begins at a cache line.
  const auto take = [&](int64_t floats) {
    const int64_t part = floats_;
    floats_ += (floats + 15) / 16 * 16;
    return part;
  };
  embed_ = {take(panelFloats(3 * embedded_, features_)), take(3 * embedded_)};
  gg_ = {take(related_ * 2 * nodes_), take(related_)};
  reduce_ = {take(panelFloats(hidden_, 1 + related_)), take(hidden_)};
  score_ = {take(panelFloats(1, hidden_)), take(1)};
}

int64_t RelationAttention::packedFloats() const { return kPreparedSlack + floats_; }

void RelationAttention::pack(const Call& call, float* array) const {
  float* packed = prepareAt(array);
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  float* rows = scratch.floats(std::max(3 * embedded_ * features_, hidden_ * (1 + related_)));
  const FoldedLayer* three[] = {&layers_.theta, &layers_.phi, &layers_.gx};
  for (int64_t i = 0; i < 3; ++i) {
    three[i]->fold(rows + i * embedded_ * features_, packed + embed_.bias + i * embedded_);
  }
  packPanels(call, MatrixRows(rows, features_, 1), 3 * embedded_, features_,
             packed + embed_.weight);
  layers_.gg.fold(packed + gg_.weight, packed + gg_.bias);
  layers_.reduce.fold(rows, packed + reduce_.bias);
  packPanels(call, MatrixRows(rows, 1 + related_, 1), hidden_, 1 + related_,
             packed + reduce_.weight);
  layers_.score.fold(rows, packed + score_.bias);
  packPanels(call, MatrixRows(rows, hidden_, 1), 1, hidden_, packed + score_.weight);
}

void RelationAttention::embed(const Call& call, const float* packed, const FeatureMap& x,
                              const float* featureGate, float* embedded) const {
  const int64_t width = 3 * embedded_, tasks = ceilDiv(nodes_, kTaskNodes);
  const int64_t floats = panelFloats(width, features_);
  parallelFor(call, x.batch * tasks, [&](int64_t task, Scratch& scratch) {
    const int64_t b = task / tasks, first = task % tasks * kTaskNodes;
    const int64_t count = std::min(kTaskNodes, nodes_ - first);
    const float* weights = packed + embed_.weight;
    if (featureGate) {  // gates the weights in the place of x
      float* gated = scratch.floats(floats);
      for (int64_t at = 0; at < floats; at += kPanel) {
        mapRow().multiply(packed + embed_.weight + at,
                          featureGate + b * features_ + at / kPanel % features_, 0, gated + at,
                          kPanel, false);
      }
      weights = gated;
    }
    product(count, width, features_, nodesOf(x, kind_, b, first, count, scratch), panels(weights),
            packed + embed_.bias, Activation::kRelu,
            MatrixRows(embedded + (b * nodes_ + first) * width, width, 1), scratch);
  });
}

void RelationAttention::relate(const float* packed, float* embedded, float* attention,
                               Scratch& scratch) const {
  const int64_t e = embedded_, width = 3 * e, joined = 1 + related_;
  float* mixed = scratch.floats(related_ * 2 * e);
  float* features = scratch.floats(nodes_ * joined);
  float* hidden = scratch.floats(nodes_ * hidden_);
  // W_1 phi, which meets theta, beside W_2 theta, which meets phi.
  float* gg =
      const_cast<float*>(packed + gg_.weight);  // MatrixRows does not tell; it is read alone
  for (int64_t half = 0; half < 2; ++half) {
    const MatrixRows relations(gg + half * nodes_, 2 * nodes_, 1);
    const MatrixRows other(embedded + (1 - half) * e, 1, width);
    product(related_, e, nodes_, relations, matrix(other), nullptr, Activation::kNone,
            MatrixRows(mixed + half * e, 2 * e, 1), scratch);
  }
  product(nodes_, related_, 2 * e, MatrixRows(embedded, width, 1),
          matrix(MatrixRows(mixed, 2 * e, 1)), packed + gg_.bias, Activation::kRelu,
          MatrixRows(features + 1, joined, 1), scratch);
  for (int64_t p = 0; p < nodes_; ++p) {
    features[p * joined] =
        static_cast<float>(rows().sum(embedded + p * width + 2 * e, e) / static_cast<double>(e));
  }
  product(nodes_, hidden_, joined, MatrixRows(features, joined, 1), panels(packed + reduce_.weight),
          packed + reduce_.bias, Activation::kRelu, MatrixRows(hidden, hidden_, 1), scratch);
  product(nodes_, 1, hidden_, MatrixRows(hidden, hidden_, 1), panels(packed + score_.weight),
          packed + score_.bias, Activation::kSigmoid, MatrixRows(attention, 1, 1), scratch);
}

void RelationAttention::run(const Call& call, const float* array, const FeatureMap& x,
                            const float* featureGate, float* attention) const {
  const float* packed = preparedAt(array);
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  float* embedded = scratch.floats(x.batch * nodes_ * 3 * embedded_);
  embed(call, packed, x, featureGate, embedded);
  parallelFor(call, x.batch, [&](int64_t b, Scratch& own) {
    relate(packed, embedded + b * nodes_ * 3 * embedded_, attention + b * nodes_, own);
  });
}

double RelationAttention::flops(int64_t batch) const {
  const int64_t each = 3 * embedded_ * features_ + 4 * related_ * embedded_ + related_ * hidden_;
  return 2.0 * static_cast<double>(batch * nodes_) * static_cast<double>(each);
}

}  // namespace fovea
