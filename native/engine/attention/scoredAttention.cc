#include "engine/attention/scoredAttention.h"

#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "engine/attention/attend.h"
#include "engine/attention/decode.h"
#include "engine/attention/softmaxWeights.h"
#include "kernels/attention/attendTile.h"
#include "kernels/matrix/copy.h"

namespace fovea {

namespace {

// Keys whose scores are there at once: 360 KB for a panel of queries. A multiple of the engine's
// blocks, which then lie as they do in one run over all keys.
constexpr int64_t kChunkKeys = 10 * kBlockKeys;

int64_t keysOf(const ScoredAttention& x) { return x.value.shape[1]; }

float* outRow(const ScoredAttention& x, int64_t b, int64_t i) {
  return x.out.floats() + b * x.out.strides[0] + i * x.out.strides[1];
}

// The problem of entry b whose keys begin at `first`; rows are described by the caller.
AttendProblem problemOf(const ScoredAttention& x, int64_t b, int64_t first, int64_t count) {
  AttendProblem p;
  p.valueDepth = static_cast<int>(x.value.shape[2]);
  const KeyRows rows{x.value.floats() + b * x.value.strides[0] + first * x.value.strides[1],
                     x.value.strides[1], x.value.strides[2]};
  p.segments[0] = {count, rows, rows};
  p.outInner = x.out.strides[2];
  p.bias = true;
  p.biasStride = 1;
  return p;
}

// What any of the queries sees.
Interval unionOf(const ScoredAttention& x, int64_t b, int64_t first, int64_t count) {
  Interval all{INT64_MAX, 0};
  for (int64_t i = first; i < first + count; ++i) {
    const Interval seen = x.visible(b, i);
    if (seen.begin >= seen.end) continue;
    all = {std::min(all.begin, seen.begin), std::max(all.end, seen.end)};
  }
  return all.begin < all.end ? all : Interval{};
}

// Scores [count][keys] become the weights of queries `first` and following.
void writeWeights(const ScoredAttention& x, int64_t b, int64_t first, int64_t count,
                  float* scores) {
  const Tensor& to = x.weights;
  const int64_t keys = keysOf(x);
  for (int64_t i = 0; i < count; ++i)
    softmaxVisible(scores + i * keys, keys, x.visible(b, first + i));
  copy().tile(scores, keys, 1, to.floats() + b * to.strides[0] + first * to.strides[1],
              to.strides[1], to.strides[2], count, keys);
}

// A panel of queries against the keys, chunk by chunk.
void attendPanelOf(const ScoredAttention& x, int64_t b, int64_t first, int64_t count,
                   Scratch& scratch) {
  const Interval seen = unionOf(x, b, first, count);
  const int64_t pitch = x.weights ? keysOf(x) : kChunkKeys;
  float* scores = scratch.floats(count * pitch);
  float* states = scratch.floats(count * 2);
  int64_t at = seen.begin / kChunkKeys * kChunkKeys;
  bool resume = false;
  do {
    const int64_t stop = std::min(at + kChunkKeys, seen.end);
    const int64_t from = std::max(at, seen.begin / kPanel * kPanel);
    float* here = scores + (x.weights ? at : 0);
    x.scores(b, first, count, {from, stop}, here + (from - at), pitch);
    AttendProblem p = problemOf(x, b, at, stop - at);
    p.rows = count;
    p.resume = resume;
    const auto describe = [&](int64_t r, QueryRow& row) {
      row.out = outRow(x, b, first + r);
      row.state = states + 2 * r;
      row.bias = here + r * pitch;
      const Interval own = x.visible(b, first + r);
      row.visible[0] = {std::clamp(own.begin, at, stop) - at, std::clamp(own.end, at, stop) - at};
    };
    p.describe = describe;
    attendHere(p, scratch);
    resume = true;
    at += kChunkKeys;
  } while (at < seen.end);
  if (x.weights) writeWeights(x, b, first, count, scores);
}

// Few queries over many keys: all scores first, then as in decoding, keys in parts.
void attendFewQueries(const Call& call, const ScoredAttention& x) {
  const int64_t batch = x.out.shape[0], queries = x.out.shape[1], keys = keysOf(x);
  Scratch& shared = Scratch::ofThread();
  const Scratch::Scope scope(shared);
  float* scores = shared.floats(batch * queries * keys);
  static_assert(kScoredTogether % kPanel == 0);
  const int64_t tasks = ceilDiv(keys, kScoredTogether);
  parallelFor(call, batch * tasks, [&](int64_t task, Scratch&) {
    const int64_t b = task / tasks, at = task % tasks * kScoredTogether;
    const Interval seen = unionOf(x, b, 0, queries);
    const int64_t from = std::max(at, seen.begin / kPanel * kPanel);
    const int64_t stop = std::min(at + kScoredTogether, seen.end);
    if (from < stop)
      x.scores(b, 0, queries, {from, stop}, scores + b * queries * keys + from, keys);
  });
  const AttendExtent extent{batch, queries, keys, 0, x.value.shape[2]};
  attend(call, extent, [&](int64_t b, FunctionRef<void(const AttendProblem&)> work) {
    AttendProblem p = problemOf(x, b, 0, unionOf(x, b, 0, queries).end);
    p.rows = queries;
    const auto describe = [&](int64_t i, QueryRow& row) {
      row.out = outRow(x, b, i);
      row.bias = scores + (b * queries + i) * keys;
      row.visible[0] = x.visible(b, i);
    };
    p.describe = describe;
    work(p);
  });
  if (!x.weights) return;
  parallelFor(call, batch, [&](int64_t b, Scratch&) {
    writeWeights(x, b, 0, queries, scores + b * queries * keys);
  });
}

}  // namespace

bool scoredOnce(int64_t queries) { return queries <= kDecodeRows; }

void attendScored(const Call& call, const ScoredAttention& x) {
  const int64_t batch = x.out.shape[0], queries = x.out.shape[1];
  if (batch == 0 || queries == 0) return;
  if (scoredOnce(queries)) {
    attendFewQueries(call, x);
    return;
  }
  const int64_t panels = ceilDiv(queries, kPanel);
  parallelFor(call, batch * panels, [&](int64_t task, Scratch& scratch) {
    const int64_t first = task % panels * kPanel;
    attendPanelOf(x, task / panels, first, std::min<int64_t>(kPanel, queries - first), scratch);
  });
}

}  // namespace fovea
