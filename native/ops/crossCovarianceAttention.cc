// Attention between channels, El-Nouby et al. 2021, eq. 2; see lib/ops/crossCovarianceAttention.ts.
#include "core/registry.h"
#include "engine/attention/crossCovariance.h"

namespace fovea {

namespace {

enum Slot { kQuery, kKey, kValue, kTemperature, kOut };
enum Param { kEps };

void run(const Call& call) {
  const Tensor &q = call.tensor(kQuery), &temperature = call.tensor(kTemperature);
  const auto head = [&](int slot, int64_t b, int64_t h) {
    const Tensor& t = call.tensor(slot);
    return MatrixRows(t.floats() + b * t.strides[0] + h * t.strides[1], t.strides[2], t.strides[3]);
  };
  crossCovariance(call, q.shape[0], q.shape[1], q.shape[2], q.shape[3], call.number(kEps),
                  [&](int64_t b, int64_t h) {
                    return CrossCovarianceHead{head(kQuery, b, h), head(kKey, b, h),
                                               head(kValue, b, h), head(kOut, b, h),
                                               temperature.floats()[h * temperature.strides[0]]};
                  });
}

double flops(const Call& call) {
  const Tensor& q = call.tensor(kQuery);
  return 4 * static_cast<double>(q.size()) * static_cast<double>(q.shape[3]);
}

const Register registered({"crossCovarianceAttention", run, flops});

}  // namespace

}  // namespace fovea
