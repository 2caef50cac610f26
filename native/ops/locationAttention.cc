// Luong's location-based attention; see lib/ops/locationAttention.ts.
#include "core/registry.h"
#include "engine/singleHead.h"
#include "engine/weightPack.h"

namespace fovea {

namespace {

enum Slot { kQuery, kValue, kKeyLengths, kOut, kAttentionWeights, kW };

WeightPack packOf(const Call& c) {
  return WeightPack(c, kW, kW, {{kW, 1, Packing::Order::kPlain}});
}

void run(const Call& c) {
  const Tensor &query = c.tensor(kQuery), &value = c.tensor(kValue), &w = c.tensor(kW);
  const Tensor& lengths = c.tensor(kKeyLengths);
  const int64_t keys = value.shape[1], depth = query.shape[2];
  // The rows of W are the keys, the same in every batch entry: read where they lie.
  const int64_t shape[] = {query.shape[0], keys, depth};
  int64_t strides[] = {0, depth, 1};
  float* rows = w.floats();
  if (c.packed) {
    rows = const_cast<float*>(packOf(c).at(c.packed, kW));  // only read, as every key
  } else {
    strides[1] = w.strides[0];
    strides[2] = w.strides[1];
  }
  const auto visible = [&](int64_t b, int64_t) {
    return Interval{0, lengths ? lengths.ints()[b * lengths.strides[0]] : keys};
  };
  attendSingleHead(c, {query,
                       {rows, shape, strides, 3},
                       value,
                       c.tensor(kOut),
                       c.tensor(kAttentionWeights),
                       visible});
}

double flops(const Call& c) {
  const Tensor &q = c.tensor(kQuery), &v = c.tensor(kValue);
  return 2 * static_cast<double>(q.shape[0] * q.shape[1]) * static_cast<double>(v.shape[1]) *
         static_cast<double>(q.shape[2] + v.shape[2]);
}

const Register registered({"locationAttention", run, flops, Packed<packOf>::floats,
                           Packed<packOf>::pack});

}  // namespace

}  // namespace fovea
