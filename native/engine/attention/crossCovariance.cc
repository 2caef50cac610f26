#include "engine/attention/crossCovariance.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "engine/matrix/gemm.h"
#include "kernels/attention/panelSoftmax.h"
#include "kernels/matrix/rows.h"

namespace fovea {

namespace {

// Tokens that are taken together: their queries and keys (24 KB where D is 48) stay in L1 while all
// tiles of sums pass over them. Squares are summed as float32 within a run and the runs as float64,
// so that many tokens cost no accuracy.
constexpr int64_t kMostRun = 64;
// Floats of a cache line, a multiple of any vector: whole ones are read where they lie.
constexpr int64_t kLine = 16;

// The sums of a head over its tokens. Channels count to the end of the last panel.
struct Sums {
  float* products;         // [panels of query channels][D][kPanel], key channels by query channels
  double *queries, *keys;  // squares
};

// The channels of one panel, for a run of tokens.
struct Channels {
  const float* first;
  int64_t stride, count;
};

// Panel `p`, where it lies, or packed into `room` where its vectors would not be whole.
Channels channelsOf(const MatrixRows& x, int64_t token, int64_t run, int64_t p, int64_t channels,
                    float* room) {
  const int64_t first = p * kPanel, count = std::min<int64_t>(kPanel, channels - first);
  const float* from = x.row(token) + first * x.step();
  if (x.step() == 1 && count % kLine == 0) return {from, x.stride(), count};
  const float* rows[kPanel];
  for (int64_t c = 0; c < count; ++c) rows[c] = from + c * x.step();
  pack().panel(rows, x.stride(), static_cast<int>(count), run, 1.0f, room);
  return {room, kPanel, count};
}

void addSquares(const Channels& x, int64_t run, double* squares) {
  float sums[kPanel] = {};
  rows().addSquares(x.first, x.stride, run, sums, x.count);
  for (int64_t c = 0; c < x.count; ++c) squares[c] += sums[c];
}

// One pass over queries and keys. While a run is multiplied, the next one comes into L2, and behind
// the last one the first values.
void sumTokens(const CrossCovarianceHead& head, int64_t tokens, int64_t channels, const Sums& to,
               Scratch& scratch) {
  const int64_t panels = ceilDiv(channels, kPanel);
  const int64_t run = ceilDiv(tokens, ceilDiv(tokens, kMostRun));
  const Scratch::Scope scope(scratch);
  float *queryRoom = scratch.floats(run * kPanel), *keyRoom = scratch.floats(run * kPanel);
  std::fill(to.queries, to.queries + panels * kPanel, 0.0);
  std::fill(to.keys, to.keys + panels * kPanel, 0.0);
  GemmBlock block;
  block.aStrip = kStrip;
  block.aRow = 1;
  block.to = nullptr;
  block.bias = nullptr;
  block.biasAlongRows = false;
  block.ahead = nullptr;
  for (int64_t token = 0; token < tokens; token += run) {
    const int64_t next = token + run;
    block.depth = std::min(run, tokens - token);
    block.resume = token > 0;
    const bool last = next >= tokens;
    const float* soon[] = {last ? head.value.row(0) : head.query.row(next),
                           last ? head.value.row(run) : head.key.row(next)};
    // Line by line where tokens lie one behind the other, else a part of each with every tile.
    const MatrixRows& like = last ? head.value : head.query;
    const bool joined = like.step() == 1 && like.stride() == channels;
    block.soonStep = joined ? kStrip : like.stride();
    block.soonRow = joined ? block.depth : 1;
    for (int64_t q = 0; q < panels; ++q) {
      const Channels query = channelsOf(head.query, token, block.depth, q, channels, queryRoom);
      block.panel = query.first;
      block.panelStep = query.stride;
      block.columns = static_cast<int>(query.count);
      for (int64_t k = 0; k < panels; ++k) {
        const Channels key = channelsOf(head.key, token, block.depth, k, channels, keyRoom);
        block.a = key.first;
        block.aStep = key.stride;
        block.rows = key.count;
        block.sums = to.products + (q * channels + k * kPanel) * kPanel;
        for (int i = 0; i < 2; ++i) {
          block.soon[i] = q == 0 ? soon[i] + k * kPanel * block.soonRow : nullptr;
        }
        gemmTile().multiply(block);
        if (q == 0) addSquares(key, block.depth, to.keys + k * kPanel);
      }
      addSquares(query, block.depth, to.queries + q * kPanel);
    }
  }
}

}  // namespace

void crossCovariance(const Call& call, int64_t batch, int64_t heads, int64_t tokens,
                     int64_t channels, double eps,
                     FunctionRef<CrossCovarianceHead(int64_t, int64_t)> headOf) {
  if (tokens == 0) return;
  parallelFor(call, batch * heads, [&](int64_t index, Scratch& scratch) {
    const CrossCovarianceHead head = headOf(index / heads, index % heads);
    const int64_t panels = ceilDiv(channels, kPanel), padded = panels * kPanel;
    const Sums sums{scratch.floats(padded * channels), scratch.array<double>(padded),
                    scratch.array<double>(padded)};
    sumTokens(head, tokens, channels, sums, scratch);
    // Key channels lie down the columns: the softmax turns products into the panels that values
    // meet.
    const auto inverse = [&](double squares) { return 1 / std::max(std::sqrt(squares), eps); };
    float *byKey = scratch.floats(padded), *byQuery = scratch.floats(padded);
    for (int64_t c = 0; c < padded; ++c) {
      byKey[c] = static_cast<float>(inverse(sums.keys[c]));
      byQuery[c] =
          static_cast<float>(head.temperature * std::numbers::log2e * inverse(sums.queries[c]));
    }
    for (int64_t p = 0; p < panels; ++p) {
      panelSoftmax().columns(byKey, byQuery + p * kPanel, channels,
                             sums.products + p * kPanel * channels);
    }

    GemmProblem mix;
    mix.rows = tokens;
    mix.columns = mix.depth = channels;
    mix.a.matrix = head.value;
    mix.b.panels = sums.products;
    mix.c = head.out;
    gemmBlock(mix, {0, tokens}, {0, channels}, scratch);
  });
}

}  // namespace fovea
