// One step of k-means on normalised tokens; see lib/ops/kmeansUpdate.ts.
#include <algorithm>
#include <cmath>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "core/registry.h"
#include "engine/attention/centroids.h"
#include "engine/matrix/gemm.h"
#include "kernels/matrix/copy.h"
#include "kernels/matrix/rows.h"
#include "ops/shared/attentionTensors.h"

namespace fovea {

namespace {

enum Slot { kX, kOld, kAssignments, kNew };
enum Param { kDecay };

// The tokens of a head in a batch entry.
MatrixRows tokensOf(const Tensor& x, int64_t b, int64_t h) {
  return MatrixRows(x.floats() + rowAt(x, b, h, 0), x.strides[2], x.strides[3]);
}

// The nearest old centroid of every token, [B][H][L].
void assign(const Call& call, int32_t* to, Scratch& shared) {
  const Tensor &x = call.tensor(kX), &old = call.tensor(kOld);
  const int64_t heads = x.shape[1], length = x.shape[2], depth = x.shape[3];
  const int64_t count = old.shape[1], pitch = panelFloats(count, depth);
  const Scratch::Scope scope(shared);
  float* panels = shared.floats(heads * pitch);
  for (int64_t h = 0; h < heads; ++h)
    packPanels(call, MatrixRows(old.floats() + h * old.strides[0], old.strides[1], old.strides[2]),
               count, depth, panels + h * pitch);
  const int64_t blocks = ceilDiv(length, kSearchRows);
  parallelFor(call, x.shape[0] * heads * blocks, [&](int64_t task, Scratch& scratch) {
    const int64_t head = task / blocks, b = head / heads, h = head % heads;
    const int64_t first = task % blocks * kSearchRows;
    const CentroidSearch search{panels + h * pitch, count, depth, false, true};
    nearestCentroids(search, tokensOf(x, b, h), first, std::min(kSearchRows, length - first),
                     to + head * length + first, nullptr, scratch);
  });
}

// New centroids of one head: the sums run over the batch entries, and the tokens of each, in order.
void update(const Call& call, int64_t h, const int32_t* assigned, Scratch& scratch) {
  const Tensor &x = call.tensor(kX), &old = call.tensor(kOld), &given = call.tensor(kAssignments);
  const Tensor& to = call.tensor(kNew);
  const int64_t length = x.shape[2], depth = x.shape[3], count = old.shape[1];
  auto* sums = scratch.array<double>(count * depth);
  int32_t* tokens = scratch.ints(count);
  float* token = scratch.floats(depth);
  std::fill(sums, sums + count * depth, 0.0);
  std::fill(tokens, tokens + count, 0);
  for (int64_t b = 0; b < x.shape[0]; ++b) {
    const MatrixRows from = tokensOf(x, b, h);
    for (int64_t i = 0; i < length; ++i) {
      const int64_t at =
          assigned
              ? assigned[(b * x.shape[1] + h) * length + i]
              : given.ints()[b * given.strides[0] + h * given.strides[1] + i * given.strides[2]];
      copyLine(from.row(i), from.step(), token, depth);
      rows().normalize(token, kLeastNorm, token, depth);
      for (int64_t k = 0; k < depth; ++k) sums[at * depth + k] += static_cast<double>(token[k]);
      ++tokens[at];
    }
  }
  const double decay = call.number(kDecay);
  for (int64_t n = 0; n < count; ++n) {
    const double* sum = sums + n * depth;
    double squares = 0;
    for (int64_t k = 0; k < depth; ++k) squares += sum[k] * sum[k];
    const double norm = std::sqrt(squares), by = norm < kLeastNorm ? kLeastNorm : norm;
    for (int64_t k = 0; k < depth; ++k) {
      const double before = static_cast<double>(
          old.floats()[h * old.strides[0] + n * old.strides[1] + k * old.strides[2]]);
      const double mean = tokens[n] > 0 ? sum[k] / by : before;
      to.floats()[h * to.strides[0] + n * to.strides[1] + k * to.strides[2]] =
          static_cast<float>(decay * before + (1 - decay) * mean);
    }
  }
}

void run(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const int64_t heads = x.shape[1], tokens = x.shape[0] * heads * x.shape[2];
  Scratch& shared = Scratch::ofThread();
  const Scratch::Scope scope(shared);
  int32_t* assigned = nullptr;
  if (!call.tensor(kAssignments) && tokens > 0) {
    assigned = shared.ints(tokens);
    assign(call, assigned, shared);
  }
  parallelFor(call, heads,
              [&](int64_t h, Scratch& scratch) { update(call, h, assigned, scratch); });
}

double flops(const Call& call) {
  const double each =
      call.tensor(kAssignments) ? 4 : 2 * static_cast<double>(call.tensor(kOld).shape[1]);
  return static_cast<double>(call.tensor(kX).size()) * each;
}

const Register registered({"kmeansUpdate", run, flops});

}  // namespace

}  // namespace fovea
