// Luong's global and local attention; see lib/ops/dotProductAttention.ts.
#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "core/registry.h"
#include "engine/attention/additive.h"
#include "engine/attention/scoredAttention.h"
#include "engine/attention/singleHead.h"
#include "engine/matrix/weightPack.h"
#include "kernels/matrix/copy.h"
#include "kernels/matrix/rows.h"

namespace fovea {

namespace {

enum Slot { kQuery, kKey, kValue, kKeyLengths, kOut, kAttentionWeights, kFirstWeight };
enum Param { kScore, kLocal, kLocalWindow, kPositionOffset };
enum Score { kDot, kGeneral, kConcat };
enum Local { kNone, kMonotonic, kPredictive };

// Weights that a mode does not use have no slot.
struct Slots {
  int w = -1, v = -1, wp = -1, vp = -1, end = kFirstWeight;

  explicit Slots(const Call& call) {
    if (call.integer(kScore) != kDot) w = end++;
    if (call.integer(kScore) == kConcat) v = end++;
    if (call.integer(kLocal) != kPredictive) return;
    wp = end++;
    vp = end++;
  }
};

WeightPack packOf(const Call& call) {
  const Slots slots(call);
  // W of concat is cut where the queries end, which only a call tells.
  const bool concat = call.integer(kScore) == kConcat;
  const auto order = concat ? Packing::Order::kPlain : Packing::Order::kColumns;
  return WeightPack(call, kFirstWeight, slots.end - 1, {{slots.w, 1, order}});
}

int64_t keysOf(const Call& call, int64_t b) {
  const Tensor& lengths = call.tensor(kKeyLengths);
  return lengths ? lengths.ints()[b * lengths.strides[0]] : call.tensor(kKey).shape[1];
}

// W^T q: then general scores are dot products.
Tensor throughGeneral(const Call& call, const WeightPack& weights, const float* packed, int slot,
                      int64_t (&shape)[3], int64_t (&strides)[3], Scratch& scratch) {
  const Tensor& query = call.tensor(kQuery);
  const int64_t rows = query.shape[0] * query.shape[1], depth = call.tensor(kKey).shape[2];
  GemmProblem p;
  p.rows = rows;
  p.depth = query.shape[2];
  p.columns = depth;
  p.a.matrix = MatrixRows(query);
  p.b.panels = weights.at(packed, slot);
  float* folded = scratch.floats(rows * depth);
  p.c = MatrixRows(folded, depth, 1);
  gemm(call, p);
  shape[0] = query.shape[0], shape[1] = query.shape[1], shape[2] = depth;
  strides[0] = query.shape[1] * depth, strides[1] = depth, strides[2] = 1;
  return {folded, shape, strides, 3};
}

AdditiveWeights concatWeights(const Call& call, const WeightPack& weights, const float* packed,
                              const Slots& slots, Scratch& scratch) {
  const int64_t channels = call.tensor(slots.w).shape[0], width = call.tensor(slots.w).shape[1];
  // Only read; operands are matrices of any kind.
  float* w = const_cast<float*>(weights.at(packed, slots.w));
  float* v = scratch.floats(channels + 1);
  std::copy_n(weights.at(packed, slots.v), channels, v);
  v[channels] = 0;
  AdditiveWeights additive;
  additive.channels = channels;
  additive.query.matrix = MatrixRows(w, width, 1);
  additive.key.matrix = MatrixRows(w + call.tensor(kQuery).shape[2], width, 1);
  additive.v = v;
  return additive;
}

// The centre of query row b Lq + i: n_b sigmoid(vp . tanh(Wp q)).
double* predictCentres(const Call& call, const WeightPack& weights, const float* packed,
                       const Slots& slots, Scratch& scratch) {
  const Tensor& query = call.tensor(kQuery);
  const int64_t queries = query.shape[1], rows = query.shape[0] * queries;
  auto* centres = scratch.array<double>(rows);
  const Scratch::Scope scope(scratch);
  const LinearMap map = weights.map(packed, slots.wp, -1);
  float* hidden = scratch.floats(rows * map.out);
  GemmProblem p = map.problem(rows, MatrixRows(query), MatrixRows(hidden, map.out, 1));
  p.epilogue.activation = Activation::kTanh;
  gemm(call, p);
  const float* vp = weights.at(packed, slots.vp);
  for (int64_t i = 0; i < rows; ++i) {
    double sum = 0;
    for (int64_t a = 0; a < map.out; ++a)
      sum += static_cast<double>(vp[a]) * static_cast<double>(hidden[i * map.out + a]);
    centres[i] = static_cast<double>(keysOf(call, i / queries)) / (1 + std::exp(-sum));
  }
  return centres;
}

using Scores = FunctionRef<void(int64_t b, int64_t first, int64_t count, Interval keys, float* to,
                                int64_t stride)>;
using Visible = FunctionRef<Interval(int64_t b, int64_t i)>;

// Windows of their own, and a Gaussian on the weights that does not enter their sum: query by
// query, at the cost of its window.
void attendPredicted(const Call& call, const double* centres, Scores scores, Visible visible) {
  const Tensor &value = call.tensor(kValue), &out = call.tensor(kOut);
  const Tensor& weights = call.tensor(kAttentionWeights);
  const int64_t queries = out.shape[1], keys = value.shape[1], width = value.shape[2];
  const double sigma = call.number(kLocalWindow) / 2;
  parallelFor(call, out.shape[0] * queries, [&](int64_t row, Scratch& scratch) {
    const int64_t b = row / queries, i = row % queries;
    const Interval seen = visible(b, i);
    const int64_t first = seen.begin / kPanel * kPanel, count = seen.end - seen.begin;
    float* all = scratch.floats(keys + 1);  // the weights of every key
    std::fill(all, all + keys, 0.0f);
    if (count > 0) scores(b, i, 1, {first, seen.end}, all + first, keys);
    std::fill(all + first, all + seen.begin, 0.0f);
    float* a = all + seen.begin;
    if (count > 0) rows().softmax(a, a, count);
    for (int64_t j = 0; j < count; ++j) {
      const double away = (static_cast<double>(seen.begin + j) - centres[row]) / sigma;
      a[j] *= static_cast<float>(std::exp(-away * away / 2));
    }
    GemmProblem p;
    p.rows = 1;
    p.depth = count;
    p.columns = width;
    p.a.matrix = MatrixRows(a, count, 1);
    p.b.matrix =
        MatrixRows(rowsOfEntry(value, b).row(seen.begin), value.strides[2], value.strides[1]);
    p.c = MatrixRows(rowsOfEntry(out, b).row(i), 0, out.strides[2]);
    gemmBlock(p, {0, 1}, {0, width}, scratch);
    if (weights)
      copy().tile(all, keys, 1, rowsOfEntry(weights, b).row(i), 0, weights.strides[2], 1, keys);
  });
}

void run(const Call& call) {
  const Tensor &query = call.tensor(kQuery), &key = call.tensor(kKey);
  const int64_t local = call.integer(kLocal), queries = query.shape[1];
  if (call.tensor(kOut).size() == 0 && !call.tensor(kAttentionWeights)) return;
  const Slots slots(call);
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const WeightPack weights = packOf(call);
  const float* packed = slots.end > kFirstWeight ? weights.provide(scratch) : nullptr;

  const double* centres =
      local == kPredictive ? predictCentres(call, weights, packed, slots, scratch) : nullptr;
  const int64_t reach = local == kNone ? -1 : call.integer(kLocalWindow);
  const auto visible = [&](int64_t b, int64_t i) {
    const int64_t keys = keysOf(call, b);
    int64_t centre = i + call.integer(kPositionOffset);
    if (local == kPredictive) {
      const double at = std::floor(centres[b * queries + i]);
      if (std::isnan(at)) return Interval{0, keys};  // of every key the weight is NaN
      centre = std::min(static_cast<int64_t>(at), keys - 1);
    }
    return Band{false, reach, reach}.visible(centre, keys);
  };

  if (call.integer(kScore) == kConcat) {
    const bool once = local != kPredictive && scoredOnce(queries);
    const AdditiveScores additive(call, concatWeights(call, weights, packed, slots, scratch), query,
                                  key, once, scratch);
    const auto scores = [&](int64_t b, int64_t first, int64_t count, Interval keys, float* to,
                            int64_t stride) { additive.block(b, first, count, keys, to, stride); };
    if (local == kPredictive)
      attendPredicted(call, centres, scores, visible);
    else
      attendScored(call, {call.tensor(kValue), call.tensor(kOut), call.tensor(kAttentionWeights),
                          scores, visible});
    return;
  }

  int64_t shape[3], strides[3];
  const Tensor asking =
      call.integer(kScore) == kGeneral
          ? throughGeneral(call, weights, packed, slots.w, shape, strides, scratch)
          : query;
  if (local != kPredictive) {
    attendSingleHead(call, {asking, key, call.tensor(kValue), call.tensor(kOut),
                            call.tensor(kAttentionWeights), visible});
    return;
  }
  const auto scores = [&](int64_t b, int64_t first, int64_t count, Interval keys, float* to,
                          int64_t stride) {
    const MatrixRows from = rowsOfEntry(asking, b), others = rowsOfEntry(key, b);
    GemmProblem p;
    p.rows = count;
    p.depth = asking.shape[2];
    p.columns = keys.end - keys.begin;
    p.a.matrix = MatrixRows(from.row(first), from.stride(), from.step());
    p.b.matrix = MatrixRows(others.row(keys.begin), others.stride(), others.step());
    p.c = MatrixRows(to, stride, 1);
    gemmBlock(p, {0, count}, {0, p.columns}, Scratch::ofThread());
  };
  attendPredicted(call, centres, scores, visible);
}

double flops(const Call& call) {
  const Tensor &q = call.tensor(kQuery), &k = call.tensor(kKey), &v = call.tensor(kValue);
  const Slots slots(call);
  const double rows = static_cast<double>(q.shape[0] * q.shape[1]);
  const double depth = static_cast<double>(k.shape[2]);
  const double window = 2 * call.number(kLocalWindow) + 1;
  const double keys = call.integer(kLocal) == kNone
                          ? static_cast<double>(k.shape[1])
                          : std::min(static_cast<double>(k.shape[1]), window);
  double score = 2 * depth;
  double project = 0;
  if (slots.v >= 0) {
    score = 30 * static_cast<double>(call.tensor(slots.w).shape[0]);
    project = 2 * static_cast<double>(call.tensor(slots.w).shape[0]) *
              static_cast<double>(q.size() + k.size());
  } else if (slots.w >= 0) {
    project = 2 * static_cast<double>(q.size()) * depth;
  }
  return project + rows * keys * (score + 2 * static_cast<double>(v.shape[2]));
}

const Register registered({"dotProductAttention", run, flops,
                           [](const Call& call) {
                             return Slots(call).end > kFirstWeight ? packOf(call).packedFloats()
                                                                   : 0;
                           },
                           [](const Call& call, float* to) {
                             if (Slots(call).end > kFirstWeight) packOf(call).pack(to);
                           }});

}  // namespace

}  // namespace fovea
