// (x - mean) / sqrt(variance + eps) * weight + bias along the last axis; see lib/ops/layerNorm.ts.
#include "core/registry.h"
#include "core/scratch.h"
#include "engine/matrix/preparedWeights.h"
#include "engine/matrix/rowLoop.h"
#include "kernels/matrix/copy.h"
#include "kernels/matrix/rows.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kWeight, kBias };
enum Param { kEps };

// Weight, then bias, side by side; nothing where there are none.
int64_t packedFloats(const Call& call) {
  const Tensor& weight = call.tensor(kWeight);
  return weight.described() ? 2 * weight.shape[0] : 0;
}

void pack(const Call& call, float* packed) {
  if (packedFloats(call) == 0) return;
  for (const int slot : {kWeight, kBias}) {
    const Tensor& vector = call.tensor(slot);
    copyLine(vector.floats(), vector.strides[0], packed, vector.shape[0]);
    packed += vector.shape[0];
  }
}

// Whether no cache holds the rows, and they do not pass through scratch. [8192, 3072] then takes
// 0.75 of the time, [32768, 768] 0.91.
bool isFar(const Tensor& x, const Tensor& out) {
  constexpr int64_t kFarElements = int64_t{1} << 22, kLeastRow = 512;
  const int last = x.rank - 1;
  return x.data != out.data && x.size() >= kFarElements && x.shape[last] >= kLeastRow &&
         x.strides[last] == 1 && out.strides[last] == 1;
}

void run(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const double eps = call.number(kEps);
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const float* weight = nullptr;
  const float* bias = nullptr;
  if (const int64_t count = packedFloats(call); count > 0) {
    weight = packedWeights(call, count, scratch, [&](float* array) { pack(call, array); });
    bias = weight + x.shape[x.rank - 1];
  }
  const Tensor& out = call.tensor(kOut);
  const auto normalise = rows().layerNorm;
  const bool far = isFar(x, out);
  forEachRow(call, x, out, RowKind::kWhole, [=](const float* from, float* to, int64_t n) {
    normalise(from, weight, bias, eps, to, n, far);
  });
}

double flops(const Call& call) { return 24.0 * static_cast<double>(call.tensor(kX).size()); }

const Register registered({"layerNorm", run, flops, packedFloats, pack});

}  // namespace

}  // namespace fovea
