#include "engine/attention/singleHead.h"

#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "engine/attention/attend.h"
#include "engine/attention/softmaxWeights.h"
#include "kernels/matrix/copy.h"

namespace fovea {

namespace {

KeyRows keyRows(const Tensor& t, int64_t b) {
  return {t.floats() + b * t.strides[0], t.strides[1], t.strides[2]};
}

void writeWeights(const Call& call, const SingleHead& x) {
  constexpr int64_t kRows = 48;
  const int64_t queries = x.query.shape[1], keys = x.key.shape[1];
  const int64_t tasks = ceilDiv(queries, kRows);
  parallelFor(call, x.query.shape[0] * tasks, [&](int64_t task, Scratch& scratch) {
    const int64_t b = task / tasks, first = task % tasks * kRows;
    const int64_t count = std::min(kRows, queries - first);
    float* weights = scratch.floats(count * keys);
    const auto seen = [&](int64_t i) { return x.visible(b, i); };
    const SoftmaxWeights s{
        keys, x.query.shape[2], rowsOfEntry(x.query, b), rowsOfEntry(x.key, b), 1.0f, seen};
    softmaxWeights(s, first, count, weights, scratch);
    const MatrixRows to = rowsOfEntry(x.weights, b);
    copy().tile(weights, keys, 1, to.row(first), to.stride(), to.step(), count, keys);
  });
}

}  // namespace

void attendSingleHead(const Call& call, const SingleHead& x) {
  const int64_t batch = x.query.shape[0], queries = x.query.shape[1], keys = x.key.shape[1];
  const AttendExtent extent{batch, queries, keys, x.query.shape[2], x.value.shape[2]};
  attend(call, extent, [&](int64_t b, FunctionRef<void(const AttendProblem&)> work) {
    const MatrixRows from = rowsOfEntry(x.query, b), to = rowsOfEntry(x.out, b);
    AttendProblem p;
    p.rows = queries;
    p.depth = static_cast<int>(x.query.shape[2]);
    p.valueDepth = static_cast<int>(x.value.shape[2]);
    p.segments[0] = {keys, keyRows(x.key, b), keyRows(x.value, b)};
    p.queryInner = from.step();
    p.outInner = to.step();
    const auto describe = [&](int64_t i, QueryRow& r) {
      r.query = from.row(i);
      r.out = to.row(i);
      r.visible[0] = x.visible(b, i);
    };
    p.describe = describe;
    work(p);
  });
  if (x.weights) writeWeights(call, x);
}

}  // namespace fovea
