// Luong's location-based attention; see lib/ops/locationAttention.ts.
#include "core/registry.h"
#include "engine/attention/singleHead.h"
#include "engine/matrix/weightPack.h"

namespace fovea {

namespace {

enum Slot { kQuery, kValue, kKeyLengths, kOut, kAttentionWeights, kW };

WeightPack packOf(const Call& call) {
  return WeightPack(call, kW, kW, {{kW, 1, Packing::Order::kPlain}});
}

void run(const Call& call) {
  const Tensor &query = call.tensor(kQuery), &value = call.tensor(kValue), &w = call.tensor(kW);
  const Tensor& lengths = call.tensor(kKeyLengths);
  const int64_t keys = value.shape[1], depth = query.shape[2];
  // The rows of W are the keys, the same in every batch entry: read where they lie.
  const int64_t shape[] = {query.shape[0], keys, depth};
  int64_t strides[] = {0, depth, 1};
  float* rows = w.floats();
  if (call.packed) {
    rows = const_cast<float*>(packOf(call).at(call.packed, kW));  // only read, as every key
  } else {
    strides[1] = w.strides[0];
    strides[2] = w.strides[1];
  }
  const auto visible = [&](int64_t b, int64_t) {
    return Interval{0, lengths ? lengths.ints()[b * lengths.strides[0]] : keys};
  };
  attendSingleHead(call, {query,
                          {rows, shape, strides, 3},
                          value,
                          call.tensor(kOut),
                          call.tensor(kAttentionWeights),
                          visible});
}

double flops(const Call& call) {
  const Tensor &q = call.tensor(kQuery), &v = call.tensor(kValue);
  return 2 * static_cast<double>(q.shape[0] * q.shape[1]) * static_cast<double>(v.shape[1]) *
         static_cast<double>(q.shape[2] + v.shape[2]);
}

const Register registered({"locationAttention", run, flops, Packed<packOf>::floats,
                           Packed<packOf>::pack});

}  // namespace

}  // namespace fovea
