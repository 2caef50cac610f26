// Routing attention, Roy et al. 2021, Algorithm 1; see lib/ops/routingAttention.ts.
//
// Heads are treated some at a time, as many as the scratch has room for, in five steps: normalise
// the tokens; multiply them with the centroids; let every cluster choose; attend inside clusters;
// average what each token got, in the order of the clusters.
#include <algorithm>
#include <cmath>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "core/registry.h"
#include "engine/attention/attend.h"
#include "engine/attention/centroids.h"
#include "engine/matrix/gemm.h"
#include "engine/matrix/readFloats.h"
#include "kernels/matrix/rows.h"
#include "keysets/largest.h"
#include "ops/shared/attentionTensors.h"

namespace fovea {

namespace {

enum Slot { kQuery, kKey, kValue, kCentroids, kOut };
enum Param {
  kWindowSize,
  kCausal,
  kSharedQk,
  kNormalization,
  kAttendWith,
  kMaskSelf,
  kScale,
  kMeanEps
};
enum Normalization { kL2, kLayer };
enum AttendWith { kRaw, kNormalizedKeys, kNormalized };

constexpr double kLayerNormEps = 1e-6;
// Scratch for the heads that are treated together, unless a single one needs more: 32 MB.
constexpr int64_t kMostFloats = int64_t{8} << 20;
constexpr int64_t kTaskRows = 256;
constexpr int64_t kTaskColumns = 768;

// Sizes of a call, and the scratch of the heads at hand; a side is queries or keys.
struct Routing {
  const Call& call;
  int64_t heads, length, depth, valueDepth, clusters, window;
  int sides;
  int64_t firstHead = 0, headCount = 0;
  float* normal = nullptr;    // [headCount][sides][L][D]
  float* scores = nullptr;    // [headCount][sides][clusters][L]
  int32_t* chosen = nullptr;  // [headCount][sides][clusters][window]
  float* gathered = nullptr;  // [headCount][clusters][window][Dv]

  explicit Routing(const Call& of)
      : call(of),
        heads(of.tensor(kQuery).shape[1]),
        length(of.tensor(kQuery).shape[2]),
        depth(of.tensor(kQuery).shape[3]),
        valueDepth(of.tensor(kValue).shape[3]),
        clusters(of.tensor(kCentroids).shape[1]),
        window(std::min(of.integer(kWindowSize), length)),
        sides(of.flag(kSharedQk) ? 1 : 2) {}

  int64_t floatsOfHead() const {
    return sides * (length * depth + clusters * (length + window)) + clusters * window * valueDepth;
  }
  void take(Scratch& scratch, int64_t most) {
    normal = scratch.floats(most * sides * length * depth);
    scores = scratch.floats(most * sides * clusters * length);
    chosen = scratch.ints(most * sides * clusters * window);
    gathered = scratch.floats(most * clusters * window * valueDepth);
  }
  int64_t b(int64_t head) const { return (firstHead + head) / heads; }
  int64_t h(int64_t head) const { return (firstHead + head) % heads; }
  // The tokens of a side as they are, and normalised.
  KeyRows raw(int64_t head, int64_t side) const {
    return keyRowsAt(call.tensor(side == 1 ? kKey : kQuery), b(head), h(head));
  }
  float* normalised(int64_t head, int64_t side) const {
    return normal + (head * sides + side) * length * depth;
  }
  int32_t* choice(int64_t head, int64_t side, int64_t cluster) const {
    return chosen + ((head * sides + side) * clusters + cluster) * window;
  }
};

void normalise(const Routing& r) {
  const int64_t blocks = ceilDiv(r.length, kTaskRows);
  const bool layer = r.call.integer(kNormalization) == kLayer;
  parallelFor(r.call, r.headCount * r.sides * blocks, [&](int64_t task, Scratch&) {
    const int64_t part = task / blocks, head = part / r.sides, side = part % r.sides;
    const KeyRows from = r.raw(head, side);
    const int64_t first = task % blocks * kTaskRows;
    for (int64_t i = first; i < std::min(first + kTaskRows, r.length); ++i) {
      float* to = r.normalised(head, side) + i * r.depth;
      readFloats(from.row(i), from.dtype, from.inner, to, r.depth);
      if (layer)
        rows().layerNorm(to, nullptr, nullptr, kLayerNormEps, to, r.depth, false);
      else
        rows().normalize(to, kLeastNorm, to, r.depth);
    }
  });
}

void compare(const Routing& r) {
  const Tensor& centroids = r.call.tensor(kCentroids);
  const int64_t blocks = ceilDiv(r.length, kTaskColumns);
  parallelFor(r.call, r.headCount * r.sides * blocks, [&](int64_t task, Scratch& scratch) {
    const int64_t part = task / blocks, head = part / r.sides;
    const int64_t first = task % blocks * kTaskColumns;
    GemmProblem p;
    p.rows = r.clusters;
    p.columns = r.length;
    p.depth = r.depth;
    p.a.matrix = MatrixRows(centroids.floats() + r.h(head) * centroids.strides[0],
                            centroids.strides[1], centroids.strides[2]);
    p.b.matrix = MatrixRows(r.normalised(head, part % r.sides), r.depth, 1);
    p.c = MatrixRows(r.scores + part * r.clusters * r.length, r.length, 1);
    gemmBlock(p, {0, r.clusters}, {first, std::min(first + kTaskColumns, r.length)}, scratch);
  });
}

void choose(const Routing& r) {
  parallelFor(r.call, r.headCount * r.sides * r.clusters, [&](int64_t task, Scratch& scratch) {
    auto* candidates = scratch.array<uint64_t>(r.length);
    auto* ranks = scratch.array<uint32_t>(r.length);
    largest(r.scores + task * r.length, r.length, r.window, ranks, candidates,
            r.chosen + task * r.window);
  });
}

void attendClusters(const Routing& r) {
  const Call& call = r.call;
  const bool causal = call.flag(kCausal), maskSelf = call.flag(kMaskSelf);
  const int64_t with = call.integer(kAttendWith), keySide = r.sides - 1;
  AttendExtent extent{r.headCount * r.clusters, r.window, r.window, r.depth, r.valueDepth};
  extent.plain = !maskSelf;
  attend(call, extent, [&](int64_t index, FunctionRef<void(const AttendProblem&)> work) {
    const int64_t head = index / r.clusters, cluster = index % r.clusters;
    const int32_t* queries = r.choice(head, 0, cluster);
    const int32_t* keys = r.choice(head, keySide, cluster);
    const KeyRows query =
        with == kNormalized ? KeyRows{r.normalised(head, 0), r.depth, 1} : r.raw(head, 0);
    KeySegment listed{
        r.window,
        with == kRaw ? r.raw(head, keySide) : KeyRows{r.normalised(head, keySide), r.depth, 1},
        keyRowsAt(call.tensor(kValue), r.b(head), r.h(head))};
    listed.key.index = listed.value.index = keys;
    AttendProblem p;
    p.rows = r.window;
    p.depth = static_cast<int>(r.depth);
    p.valueDepth = static_cast<int>(r.valueDepth);
    p.queryInner = query.inner;
    p.scale = static_cast<float>(call.number(kScale));
    p.segments[0] = p.segments[1] = listed;  // keys before the query's own, and those behind it
    p.segmentCount = maskSelf ? 2 : 1;
    const auto describe = [&](int64_t row, QueryRow& to) {
      const int32_t position = queries[row];
      to.query = query.row(position);
      to.out = r.gathered + (index * r.window + row) * r.valueDepth;
      const int64_t own = std::lower_bound(keys, keys + r.window, position) - keys;
      const bool there = own < r.window && keys[own] == position;
      const int64_t end = causal ? own + (there ? 1 : 0) : r.window;
      to.visible[0] = {0, end};
      if (!maskSelf || !there || end == 1) return;
      to.visible[0] = {0, own};
      to.visible[1] = {own + 1, end};
    };
    p.describe = describe;
    work(p);
  });
}

void average(const Routing& r) {
  const Tensor& out = r.call.tensor(kOut);
  const double eps = r.call.number(kMeanEps);
  const int64_t blocks = ceilDiv(r.length, kTaskRows);
  parallelFor(r.call, r.headCount * blocks, [&](int64_t task, Scratch& scratch) {
    const int64_t head = task / blocks, first = task % blocks * kTaskRows;
    const int64_t count = std::min(kTaskRows, r.length - first);
    float* sums = scratch.floats(count * r.valueDepth);
    int64_t times[kTaskRows] = {};
    std::fill(sums, sums + count * r.valueDepth, 0.0f);
    for (int64_t cluster = 0; cluster < r.clusters; ++cluster) {
      const int32_t *queries = r.choice(head, 0, cluster), *end = queries + r.window;
      const float* results = r.gathered + (head * r.clusters + cluster) * r.window * r.valueDepth;
      for (const int32_t* q = std::lower_bound(queries, end, first); q < end && *q < first + count;
           ++q) {
        const float* result = results + (q - queries) * r.valueDepth;
        float* sum = sums + (*q - first) * r.valueDepth;
        for (int64_t k = 0; k < r.valueDepth; ++k) sum[k] += result[k];
        ++times[*q - first];
      }
    }
    for (int64_t i = 0; i < count; ++i) {
      const auto share =
          static_cast<float>(times[i] > 0 ? 1 / (static_cast<double>(times[i]) + eps) : 0);
      float* to = out.floats() + rowAt(out, r.b(head), r.h(head), first + i);
      for (int64_t k = 0; k < r.valueDepth; ++k)
        to[k * out.strides[3]] = sums[i * r.valueDepth + k] * share;
    }
  });
}

void run(const Call& call) {
  Routing r(call);
  const int64_t all = call.tensor(kQuery).shape[0] * r.heads;
  if (all * r.length == 0) return;
  Scratch& shared = Scratch::ofThread();
  const Scratch::Scope scope(shared);
  const int64_t most = std::clamp<int64_t>(kMostFloats / r.floatsOfHead(), 1, all);
  r.take(shared, most);
  for (r.firstHead = 0; r.firstHead < all; r.firstHead += most) {
    r.headCount = std::min(most, all - r.firstHead);
    normalise(r);
    compare(r);
    choose(r);
    attendClusters(r);
    average(r);
  }
}

double flops(const Call& call) {
  const Routing r(call);
  const auto window = static_cast<double>(r.window);
  return 2.0 * static_cast<double>(call.tensor(kQuery).shape[0] * r.heads * r.clusters) *
         (static_cast<double>(r.sides * r.length * r.depth) +
          window * window * static_cast<double>(r.depth + r.valueDepth));
}

const Register registered({"routingAttention", run, flops});

}  // namespace

}  // namespace fovea
