#include "engine/attention/additive.h"

#include <algorithm>
#include <cmath>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "engine/attention/scoredAttention.h"
#include "engine/matrix/gemm.h"
#include "engine/matrix/preparedWeights.h"
#include "kernels/attention/additive.h"
#include "kernels/matrix/copy.h"

namespace fovea {

namespace {

constexpr float kUnit = 2.88539008177792681f;  // 2 log2(e)

// The kernel takes channels two by two: an odd one is followed by one that adds nothing.
int64_t even(int64_t channels) { return (channels + 1) / 2 * 2; }

float element(const Tensor& vector, int64_t i) { return vector.floats()[i * vector.strides[0]]; }

// In the order in which they are packed: the two projections as panels, v, and the bias in the
// kernel's units.
struct Packed {
  int64_t query, key, v, bias, floats;

  explicit Packed(const AdditiveLayer& layer) {
    const int64_t channels = layer.channels();
    query = 0;
    key = query + panelFloats(channels, layer.query.shape[1]);
    v = key + panelFloats(channels, layer.key.shape[1]);
    bias = v + even(channels);
    floats = bias + channels;
  }
};

}  // namespace

int64_t AdditiveLayer::packedFloats() const { return kPreparedSlack + Packed(*this).floats; }

void AdditiveLayer::pack(const Call& call, float* array) const {
  const Packed at(*this);
  float* to = prepareAt(array);
  packPanels(call, MatrixRows(query), channels(), query.shape[1], to + at.query);
  packPanels(call, MatrixRows(key), channels(), key.shape[1], to + at.key);
  double factor = 1;
  if (gain.described()) {
    double squares = 0;
    for (int64_t a = 0; a < channels(); ++a)
      squares += static_cast<double>(element(v, a)) * static_cast<double>(element(v, a));
    factor = static_cast<double>(element(gain, 0)) / std::sqrt(squares);
  }
  std::fill(to + at.v, to + at.bias, 0.0f);
  for (int64_t a = 0; a < channels(); ++a) {
    to[at.v + a] = static_cast<float>(factor * static_cast<double>(element(v, a)));
    to[at.bias + a] = bias.described() ? kUnit * element(bias, a) : 0.0f;
  }
}

AdditiveWeights AdditiveLayer::at(const float* packed) const {
  const Packed at(*this);
  const float* from = preparedAt(packed);
  AdditiveWeights weights;
  weights.channels = channels();
  weights.query.panels = from + at.query;
  weights.key.panels = from + at.key;
  weights.v = from + at.v;
  weights.bias = from + at.bias;
  return weights;
}

AdditiveScores::AdditiveScores(const Call& call, const AdditiveWeights& weights,
                               const Tensor& query, const Tensor& key, bool once, Scratch& scratch)
    : weights_(weights),
      keyTensor_(key),
      channels_(even(weights.channels)),
      queries_(query.shape[1]),
      panels_(ceilDiv(key.shape[1], kPanel)) {
  const int64_t batch = query.shape[0], keys = key.shape[1];
  float* rows = scratch.floats(batch * queries_ * channels_);
  query_ = rows;
  projectQueries(call, query, rows);
  if (once) return;
  float* panels = scratch.floats(batch * panels_ * channels_ * kPanel);
  key_ = panels;
  const int64_t parts = ceilDiv(keys, kScoredTogether);
  parallelFor(call, batch * parts, [&](int64_t task, Scratch& own) {
    const int64_t b = task / parts, first = task % parts * kScoredTogether;
    projectKeys(b, {first, std::min(first + kScoredTogether, keys)},
                panels + (b * panels_ + first / kPanel) * channels_ * kPanel, own);
  });
}

void AdditiveScores::projectQueries(const Call& call, const Tensor& query, float* rows) const {
  GemmProblem p;
  p.rows = query.shape[0] * queries_;
  p.depth = query.shape[2];
  p.columns = weights_.channels;
  p.a.matrix = MatrixRows(query);
  p.b = weights_.query;
  p.epilogue.scale = kUnit;
  p.epilogue.bias = weights_.bias;
  p.c = MatrixRows(rows, channels_, 1);
  gemm(call, p);
  if (channels_ == weights_.channels) return;
  for (int64_t i = 1; i <= p.rows; ++i) rows[i * channels_ - 1] = 0;
}

void AdditiveScores::projectKeys(int64_t b, Interval keys, float* panels, Scratch& scratch) const {
  const Tensor& key = keyTensor_;
  struct Target {
    float* panels;
    int64_t channels;
  } target{panels, channels_};
  GemmProblem p;
  p.rows = keys.end - keys.begin;
  p.depth = key.shape[2];
  p.columns = weights_.channels;
  p.a.matrix = MatrixRows(key.floats() + b * key.strides[0] + keys.begin * key.strides[1],
                          key.strides[1], key.strides[2]);
  p.b = weights_.key;
  p.epilogue.scale = kUnit;
  p.sink = {
      [](const void* context, int64_t row, int64_t rows, int64_t column, int columns, float* tile) {
        const auto& [to, channels] = *static_cast<const Target*>(context);
        for (int64_t i = row, count; i < row + rows; i += count) {
          count = std::min(kPanel - i % kPanel, row + rows - i);
          copy().tile(tile + (i - row) * kPanel, kPanel, 1,
                      to + (i / kPanel * channels + column) * kPanel + i % kPanel, 1, kPanel, count,
                      columns);
        }
      },
      &target};
  gemmBlock(p, {0, p.rows}, {0, p.columns}, scratch);
  if (channels_ == weights_.channels) return;
  for (int64_t i = 1; i <= ceilDiv(p.rows, kPanel); ++i)
    std::fill_n(panels + (i * channels_ - 1) * kPanel, int64_t{kPanel}, 0.0f);
}

void AdditiveScores::block(int64_t b, int64_t first, int64_t count, Interval keys, float* to,
                           int64_t stride) const {
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const float* panels;
  if (key_) {
    panels = key_ + (b * panels_ + keys.begin / kPanel) * channels_ * kPanel;
  } else {
    float* own = scratch.floats(kScoredTogether * channels_);
    projectKeys(b, keys, own, scratch);
    panels = own;
  }
  AdditiveBlock block;
  block.channels = channels_;
  block.queries = query_ + (b * queries_ + first) * channels_;
  block.rows = count;
  block.queryStride = channels_;
  block.v = weights_.v;
  block.scoreStride = stride;
  for (int64_t j = keys.begin; j < keys.end; j += kPanel) {
    block.keys = panels + (j - keys.begin) * channels_;
    block.columns = static_cast<int>(std::min<int64_t>(kPanel, keys.end - j));
    block.scores = to + (j - keys.begin);
    additive().scores(block);
  }
}

}  // namespace fovea
