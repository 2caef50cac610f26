#include "engine/crossCovariance.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "engine/gemm.h"
#include "kernels/rows.h"

namespace fovea {

namespace {

// Tokens that are taken together: their queries and packed keys (24 KB where D is 48) stay in L1
// while all tiles of sums pass over them. Squares are summed as float32 within a run and the runs
// as float64, so that many tokens cost no accuracy.
constexpr int64_t kRun = 64;

// Adds the squares of each of `count` channels.
void addSquares(const float* first, int64_t stride, int64_t tokens, int64_t count, double* sums) {
  float run[kPanel] = {};
  rows().addSquares(first, stride, tokens, run, count);
  for (int64_t c = 0; c < count; ++c) sums[c] += run[c];
}

// Channels [first, first + count) of the tokens from `token` on as a panel.
void packChannels(const MatrixRows& x, int64_t token, int64_t tokens, int64_t first, int64_t count,
                  float* panel) {
  const float* channels[kPanel];
  for (int64_t c = 0; c < count; ++c) channels[c] = x.row(token) + (first + c) * x.step();
  pack().panel(channels, x.stride(), static_cast<int>(count), tokens, 1.0f, panel);
}

// What a head sums up over its tokens.
struct Sums {
  float* products;         // [ceil(D / kPanel)][D][kPanel], query channels by key channels
  double *queries, *keys;  // [D], squares
};

// One pass over queries and keys. While a run is multiplied, the next one comes into L2.
void sumTokens(const CrossCovarianceHead& head, int64_t tokens, int64_t channels, const Sums& to,
               Scratch& scratch) {
  const MatrixRows &query = head.query, &key = head.key;
  const bool alike = query.stride() == key.stride() && query.step() == key.step();
  const Scratch::Scope scope(scratch);
  float* panel = scratch.floats(kRun * kPanel);
  std::fill(to.queries, to.queries + channels, 0.0);
  std::fill(to.keys, to.keys + channels, 0.0);
  for (int64_t token = 0; token < tokens; token += kRun) {
    const int64_t run = std::min(kRun, tokens - token);
    const bool last = token + run == tokens;
    for (int64_t first = 0; first < channels; first += kPanel) {
      const int64_t count = std::min<int64_t>(kPanel, channels - first);
      if (query.step() == 1) {
        addSquares(query.row(token) + first, query.stride(), run, count, to.queries + first);
      } else {
        packChannels(query, token, run, first, count, panel);
        addSquares(panel, kPanel, run, count, to.queries + first);
      }
      packChannels(key, token, run, first, count, panel);
      addSquares(panel, kPanel, run, count, to.keys + first);
      GemmBlock block;
      block.a = query.row(token);
      block.aStrip = kStrip * query.step();
      block.aRow = query.step();
      block.aStep = query.stride();
      block.panel = panel;
      block.rows = channels;
      block.depth = run;
      block.columns = static_cast<int>(count);
      block.sums = to.products + first * channels;
      block.resume = token > 0;
      block.to = nullptr;
      block.bias = nullptr;
      block.biasAlongRows = false;
      block.ahead = nullptr;
      block.soon[0] = last ? nullptr : query.row(token + run);
      block.soon[1] = last || !alike ? nullptr : key.row(token + run);
      gemmTile().multiply(block);
    }
  }
}

// softmax over the key channels of what the sums say about each query channel.
void weigh(const Sums& from, float temperature, double eps, int64_t channels, float* keyNorms,
           float* weights) {
  const auto inverse = [&](double squares) {
    return static_cast<float>(1 / std::max(std::sqrt(squares), eps));
  };
  for (int64_t e = 0; e < channels; ++e) keyNorms[e] = inverse(from.keys[e]);
  for (int64_t c = 0; c < channels; ++c) {
    float* row = weights + c * channels;
    const float by = temperature * inverse(from.queries[c]);
    for (int64_t first = 0; first < channels; first += kPanel) {
      const float* products = from.products + first * channels + c * kPanel;
      const int64_t count = std::min<int64_t>(kPanel, channels - first);
      for (int64_t e = 0; e < count; ++e) row[first + e] = products[e] * (by * keyNorms[first + e]);
    }
    rows().softmax(row, row, channels);
  }
}

}  // namespace

void crossCovariance(const Call& call, int64_t batch, int64_t heads, int64_t tokens,
                     int64_t channels, double eps,
                     FunctionRef<CrossCovarianceHead(int64_t, int64_t)> headOf) {
  if (tokens == 0) return;
  parallelFor(call, batch * heads, [&](int64_t index, Scratch& scratch) {
    const CrossCovarianceHead head = headOf(index / heads, index % heads);
    const auto doubles = [&](int64_t count) {
      return reinterpret_cast<double*>(scratch.bytes(count * static_cast<int64_t>(sizeof(double))));
    };
    const Sums sums{scratch.floats(panelFloats(channels, channels)), doubles(channels),
                    doubles(channels)};
    sumTokens(head, tokens, channels, sums, scratch);
    float* weights = scratch.floats(channels * channels);
    weigh(sums, head.temperature, eps, channels, scratch.floats(channels), weights);

    GemmProblem mix;
    mix.rows = tokens;
    mix.columns = mix.depth = channels;
    mix.a.matrix = head.value;
    mix.b.matrix = MatrixRows(weights, channels, 1);
    mix.c = head.out;
    gemmBlock(mix, {0, tokens}, {0, channels}, scratch);
  });
}

}  // namespace fovea
