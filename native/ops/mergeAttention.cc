// Joins partial attention over disjoint sets of keys; see lib/ops/mergeAttention.ts. In double: a
// row costs one exponential a part, and Dv products that memory can hardly deliver faster.
#include <cmath>
#include <limits>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "core/registry.h"
#include "ops/shared/attentionTensors.h"

namespace fovea {

namespace {

enum Slot { kOuts, kLses, kOut, kLse };

void mergeRow(const Call& call, int64_t b, int64_t h, int64_t i, double* weights) {
  const Tensor &outs = call.tensor(kOuts), &lses = call.tensor(kLses);
  const Tensor &out = call.tensor(kOut), &lse = call.tensor(kLse);
  constexpr double kNothing = -std::numeric_limits<double>::infinity();
  const int64_t parts = outs.shape[0], width = outs.shape[4];
  const int64_t from = b * outs.strides[1] + h * outs.strides[2] + i * outs.strides[3];
  const float* row =
      lses.floats() + b * lses.strides[1] + h * lses.strides[2] + i * lses.strides[3];
  double top = kNothing, total = 0;
  for (int64_t p = 0; p < parts; ++p) {
    const double value = row[p * lses.strides[0]];
    if (!(value <= top)) top = value;
  }
  for (int64_t p = 0; p < parts; ++p) {
    const double value = row[p * lses.strides[0]];
    weights[p] = value == kNothing ? 0 : std::exp(value - top);
    total += weights[p];
  }
  float* to = out.floats() + rowAt(out, b, h, i);
  for (int64_t d = 0; d < width; ++d) {
    double sum = 0;
    for (int64_t p = 0; p < parts; ++p) {
      if (weights[p] == 0) continue;  // what a part that saw nothing holds does not matter
      sum += weights[p] * outs.floats()[from + p * outs.strides[0] + d * outs.strides[4]];
    }
    to[d * out.strides[3]] = static_cast<float>(total == 0 ? 0 : sum / total);
  }
  if (lse)
    lse.floats()[rowAt(lse, b, h, i)] =
        static_cast<float>(total == 0 ? kNothing : top + std::log(total));
}

void run(const Call& call) {
  const Tensor& outs = call.tensor(kOuts);
  const int64_t heads = outs.shape[2], length = outs.shape[3];
  constexpr int64_t kRows = 64;  // rows of a task
  const int64_t tasks = ceilDiv(length, kRows);
  parallelFor(call, outs.shape[1] * heads * tasks, [&](int64_t index, Scratch& scratch) {
    auto* weights = scratch.array<double>(outs.shape[0]);
    const int64_t head = index / tasks, first = index % tasks * kRows;
    for (int64_t i = first; i < length && i < first + kRows; ++i)
      mergeRow(call, head / heads, head % heads, i, weights);
  });
}

double flops(const Call& call) { return 2 * static_cast<double>(call.tensor(kOuts).size()); }

const Register registered({"mergeAttention", run, flops});

}  // namespace

}  // namespace fovea
