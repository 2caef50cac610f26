// The XCA module with its projections; see lib/ops/xcaBlock.ts.
#include "core/registry.h"
#include "engine/attention/crossCovariance.h"
#include "engine/matrix/weightPack.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kTemperature, kQkvWeight, kQkvBias, kProjWeight, kProjBias };
enum Param { kHeads };
constexpr double kEps = 1e-12;

WeightPack packOf(const Call& call) { return WeightPack(call, kTemperature, kProjBias); }

void run(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const int64_t batch = x.shape[0], tokens = x.shape[1], width = x.shape[2];
  const int64_t heads = call.integer(kHeads), depth = width / heads, rows = batch * tokens;
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const WeightPack weights = packOf(call);
  const float* packed = weights.provide(scratch);
  float* qkv = scratch.floats(rows * 3 * width);
  float* mixed = scratch.floats(rows * width);
  const LinearMap in = weights.map(packed, kQkvWeight, kQkvBias);
  gemm(call, in.problem(rows, MatrixRows(x), MatrixRows(qkv, 3 * width, 1)));
  const float* temperature = weights.at(packed, kTemperature);
  crossCovariance(call, batch, heads, tokens, depth, kEps, [&](int64_t b, int64_t h) {
    const auto part = [&](int64_t n) {
      return MatrixRows(qkv + b * tokens * 3 * width + n * width + h * depth, 3 * width, 1);
    };
    return CrossCovarianceHead{part(0), part(1), part(2),
                               MatrixRows(mixed + b * tokens * width + h * depth, width, 1),
                               temperature[h]};
  });
  const LinearMap out = weights.map(packed, kProjWeight, kProjBias);
  gemm(call, out.problem(rows, MatrixRows(mixed, width, 1), MatrixRows(call.tensor(kOut))));
}

double flops(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const double width = static_cast<double>(x.shape[2]);
  return static_cast<double>(x.size()) * (8 * width + 4 * width / call.number(kHeads));
}

const Register registered({"xcaBlock", run, flops, Packed<packOf>::floats, Packed<packOf>::pack});

}  // namespace

}  // namespace fovea
