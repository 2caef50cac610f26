#include "engine/additive.h"

#include <algorithm>
#include <cmath>

#include "engine/gemm.h"
#include "engine/preparedWeights.h"
#include "kernels/additive.h"

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
                               const Tensor& query, const Tensor& key, Scratch& scratch)
    : channels_(even(weights.channels)),
      queries_(query.shape[1]),
      panels_((key.shape[1] + kPanel - 1) / kPanel),
      v_(weights.v) {
  const int64_t batch = query.shape[0], keys = key.shape[1];
  float* queryRows = scratch.floats(batch * queries_ * channels_);
  float* keyPanels = scratch.floats(batch * panels_ * channels_ * kPanel);
  query_ = queryRows;
  key_ = keyPanels;

  GemmProblem p;
  p.columns = weights.channels;
  p.epilogue.scale = kUnit;
  p.rows = batch * queries_;
  p.depth = query.shape[2];
  p.a.matrix = MatrixRows(query);
  p.b = weights.query;
  p.epilogue.bias = weights.bias;
  p.c = MatrixRows(queryRows, channels_, 1);
  gemm(call, p);

  // Keys are written where the kernel reads them: 48 side by side, channel by channel.
  p.rows = keys;
  p.depth = key.shape[2];
  p.b = weights.key;
  p.epilogue.bias = nullptr;
  const int64_t shape[] = {panels_, kPanel, channels_};
  const int64_t strides[] = {channels_ * kPanel, 1, kPanel};
  for (int64_t b = 0; b < batch; ++b) {
    p.a.matrix = MatrixRows(key.floats() + b * key.strides[0], key.strides[1], key.strides[2]);
    p.c = MatrixRows(Tensor{keyPanels + b * panels_ * channels_ * kPanel, shape, strides, 3});
    gemm(call, p);
  }

  if (channels_ == weights.channels) return;
  for (int64_t i = 1; i <= batch * queries_; ++i) queryRows[i * channels_ - 1] = 0;
  for (int64_t i = 1; i <= batch * panels_; ++i)
    std::fill_n(keyPanels + (i * channels_ - 1) * kPanel, int64_t{kPanel}, 0.0f);
}

void AdditiveScores::block(int64_t b, int64_t first, int64_t count, Interval keys, float* to,
                           int64_t stride) const {
  AdditiveBlock block;
  block.channels = channels_;
  block.queries = query_ + (b * queries_ + first) * channels_;
  block.rows = count;
  block.queryStride = channels_;
  block.v = v_;
  block.scoreStride = stride;
  for (int64_t j = keys.begin; j < keys.end; j += kPanel) {
    block.keys = key_ + (b * panels_ + j / kPanel) * channels_ * kPanel;
    block.columns = static_cast<int>(std::min<int64_t>(kPanel, keys.end - j));
    block.scores = to + (j - keys.begin);
    additive().scores(block);
  }
}

}  // namespace fovea
