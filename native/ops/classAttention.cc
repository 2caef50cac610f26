// CaiT's class attention; see lib/ops/classAttention.ts.
#include "engine/attention/classAttention.h"

#include "core/registry.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kOwn, kProjWeight = kOwn + kClassValueBias + 1, kProjBias };
enum Param { kHeads };

WeightPack packOf(const Call& call) {
  return classPack(call, kOwn, kProjBias, kOwn, call.integer(kHeads));
}

void run(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const int64_t batch = x.shape[0], width = x.shape[2];
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const WeightPack weights = packOf(call);
  const float* packed = weights.provide(scratch);
  float* joined = scratch.floats(batch * width);
  classAttention(call, weights, packed, kOwn, call.integer(kHeads), x, joined);
  const LinearMap out = weights.map(packed, kProjWeight, kProjBias);
  gemm(call, out.problem(batch, MatrixRows(joined, width, 1), MatrixRows(call.tensor(kOut))));
}

double flops(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const double width = static_cast<double>(x.shape[2]);
  return 8 * static_cast<double>(x.shape[0]) * width * width +
         4 * static_cast<double>(x.size()) * call.number(kHeads);
}

const Register registered({"classAttention", run, flops, Packed<packOf>::floats,
                           Packed<packOf>::pack});

}  // namespace

}  // namespace fovea
