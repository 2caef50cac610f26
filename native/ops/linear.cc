// out = x weight^T + bias over the last axis; see lib/ops/linear.ts.
#include "core/registry.h"
#include "core/scratch.h"
#include "engine/matrix/gemm.h"
#include "engine/matrix/preparedWeights.h"
#include "kernels/matrix/copy.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kWeight, kBias };

int64_t inputs(const Call& call) { return call.tensor(kWeight).shape[1]; }
int64_t outputs(const Call& call) { return call.tensor(kWeight).shape[0]; }

void copyBias(const Call& call, float* to) {
  const Tensor& bias = call.tensor(kBias);
  copyLine(bias.floats(), bias.strides[0], to, bias.shape[0]);
}

// The weight in panels, then the bias, if there is one.
int64_t packedFloats(const Call& call) {
  const int64_t bias = call.tensor(kBias).described() ? outputs(call) : 0;
  return kPreparedSlack + panelFloats(outputs(call), inputs(call)) + bias;
}

void pack(const Call& call, float* packed) {
  float* panels = prepareAt(packed);
  packPanels(call, MatrixRows(call.tensor(kWeight)), outputs(call), inputs(call), panels);
  if (call.tensor(kBias)) {
    copyBias(call, panels + panelFloats(outputs(call), inputs(call)));
  }
}

void run(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const Tensor& bias = call.tensor(kBias);
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  GemmProblem p;
  p.depth = inputs(call);
  p.columns = outputs(call);
  p.rows = p.depth == 0 ? 0 : x.size() / p.depth;
  p.a.matrix = MatrixRows(x);
  p.c = MatrixRows(call.tensor(kOut));
  if (call.packed) {
    p.b.panels = preparedAt(call.packed);
    if (bias.described()) p.epilogue.bias = p.b.panels + panelFloats(p.columns, p.depth);
  } else {
    p.b.matrix = MatrixRows(call.tensor(kWeight));
    if (bias) {
      float* wide = scratch.floats(p.columns);
      copyBias(call, wide);
      p.epilogue.bias = wide;
    }
  }
  gemm(call, p);
}

double flops(const Call& call) {
  return 2 * static_cast<double>(call.tensor(kX).size()) * static_cast<double>(outputs(call));
}

const Register registered({"linear", run, flops, packedFloats, pack});

}  // namespace

}  // namespace fovea
