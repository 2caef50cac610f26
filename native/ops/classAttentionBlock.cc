// CaiT's class attention block; see lib/ops/classAttentionBlock.ts.
#include "core/registry.h"
#include "engine/attention/classAttention.h"
#include "engine/matrix/rowLoop.h"
#include "kernels/matrix/rows.h"

namespace fovea {

namespace {

enum Slot {
  kX,
  kXCls,
  kOut,
  kGamma1,
  kGamma2,
  kNorm1Weight,
  kNorm1Bias,
  kAttn,
  kProjWeight = kAttn + kClassValueBias + 1,
  kProjBias,
  kNorm2Weight,
  kNorm2Bias,
  kFc1Weight,
  kFc1Bias,
  kFc2Weight,
  kFc2Bias
};
enum Param { kHeads, kNormEps };

WeightPack packOf(const Call& call) {
  return classPack(call, kGamma1, kFc2Bias, kAttn, call.integer(kHeads));
}

void run(const Call& call) {
  const Tensor &x = call.tensor(kX), &xCls = call.tensor(kXCls);
  const int64_t batch = x.shape[0], patches = x.shape[1], width = x.shape[2];
  const int64_t hidden = call.tensor(kFc1Weight).shape[0];
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const WeightPack weights = packOf(call);
  const float* packed = weights.provide(scratch);
  const auto norm = [&](int weight, const Tensor& from, const Tensor& to) {
    const float *scale = weights.at(packed, weight), *shift = weights.at(packed, weight + 1);
    const double eps = call.number(kNormEps);
    forEachRow(call, from, to, RowKind::kWhole, [=](const float* row, float* normed, int64_t n) {
      rows().layerNorm(row, scale, shift, eps, normed, n, false);
    });
  };

  // The class token and the patches behind it, normalised.
  const int64_t strides[] = {(1 + patches) * width, width, 1};
  const int64_t wholeShape[] = {batch, 1 + patches, width};
  const int64_t clsShape[] = {batch, 1, width};
  float* normed = scratch.floats(batch * (1 + patches) * width);
  norm(kNorm1Weight, xCls, {normed, clsShape, strides, 3});
  norm(kNorm1Weight, x, {normed + width, x.shape, strides, 3});

  const auto matrix = [&](float* data) { return MatrixRows(data, width, 1); };
  float* joined = scratch.floats(batch * width);
  classAttention(call, weights, packed, kAttn, call.integer(kHeads),
                 {normed, wholeShape, strides, 3}, joined);
  float* attended = scratch.floats(batch * width);  // xCls + gamma_1 attention
  const LinearMap proj = weights.map(packed, kProjWeight, kProjBias);
  GemmProblem p = proj.problem(batch, matrix(joined), matrix(attended));
  p.epilogue.gain = weights.at(packed, kGamma1);
  p.residual = MatrixRows(xCls);
  gemm(call, p);

  const int64_t rowStrides[] = {width, width, 1};
  norm(kNorm2Weight, {attended, clsShape, rowStrides, 3}, {joined, clsShape, rowStrides, 3});
  float* middle = scratch.floats(batch * hidden);
  const LinearMap fc1 = weights.map(packed, kFc1Weight, kFc1Bias);
  p = fc1.problem(batch, matrix(joined), MatrixRows(middle, hidden, 1));
  p.epilogue.activation = Activation::kGelu;
  gemm(call, p);
  const LinearMap fc2 = weights.map(packed, kFc2Weight, kFc2Bias);
  p = fc2.problem(batch, MatrixRows(middle, hidden, 1), MatrixRows(call.tensor(kOut)));
  p.epilogue.gain = weights.at(packed, kGamma2);
  p.residual = matrix(attended);
  gemm(call, p);
}

double flops(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const double width = static_cast<double>(x.shape[2]);
  const double hidden = static_cast<double>(call.tensor(kFc1Weight).shape[0]);
  return static_cast<double>(x.shape[0]) * width * (8 * width + 4 * hidden) +
         static_cast<double>(x.size()) * (4 * call.number(kHeads) + 8);
}

const Register registered({"classAttentionBlock", run, flops, Packed<packOf>::floats,
                           Packed<packOf>::pack});

}  // namespace

}  // namespace fovea
