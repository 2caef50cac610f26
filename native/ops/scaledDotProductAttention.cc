// softmax(scale Q K^T + ...) V, Vaswani et al. 2017, eq. 1; see
// lib/ops/scaledDotProductAttention.ts.
#include "core/registry.h"
#include "engine/attention/attend.h"
#include "ops/shared/attentionTensors.h"
#include "ops/shared/entries.h"

namespace fovea {

namespace {

enum Slot {
  kQuery,
  kKey,
  kValue,
  kMask,
  kBias,
  kAlibiSlopes,
  kSinks,
  kKeyLengths,
  kQueryOffsets,
  kQueryCumulativeLengths,
  kKeyCumulativeLengths,
  kOut,
  kLse
};
enum Param { kScale, kCausal, kAlign, kSoftcap, kWindowLeft, kWindowRight };
constexpr int64_t kTopLeft = 1;  // choices of `align`: bottomRight, topLeft

void run(const Call& call) {
  const Tensor &q = call.tensor(kQuery), &k = call.tensor(kKey), &v = call.tensor(kValue);
  const Tensor &mask = call.tensor(kMask), &bias = call.tensor(kBias),
               &slopes = call.tensor(kAlibiSlopes);
  const Tensor &sinks = call.tensor(kSinks), &lengths = call.tensor(kKeyLengths);
  const Tensor &offsets = call.tensor(kQueryOffsets), &out = call.tensor(kOut),
               &lse = call.tensor(kLse);
  const int64_t heads = q.shape[1], keyHeads = k.shape[1];
  if (keyHeads == 0) return;
  const Entries queryEntries(q, call.tensor(kQueryCumulativeLengths));
  const Entries keyEntries(k, call.tensor(kKeyCumulativeLengths));
  const int64_t group = heads / keyHeads;  // query heads that share a key head
  const Band band{call.flag(kCausal), call.integer(kWindowLeft), call.integer(kWindowRight)};

  AttendExtent extent{queryEntries.count() * keyHeads,
                      group * queryEntries.longest(),
                      keyEntries.longest(),
                      q.shape[3],
                      v.shape[3],
                      true,
                      group * queryEntries.shortest()};
  // Heads without a bias of their own. (Masks alone are cheaper to bring in than heads to mix.)
  const auto allHeads = [](const Tensor& t) { return !t || t.strides[1] == 0; };
  if (bias && allHeads(bias) && allHeads(mask)) extent.alike = keyHeads;
  attend(call, extent, [&](int64_t index, FunctionRef<void(const AttendProblem&)> work) {
    const int64_t keyHead = index % keyHeads;
    const Entry rows = queryEntries[index / keyHeads], keys = keyEntries[index / keyHeads];
    const int64_t b = rows.b, queries = rows.length;
    const int64_t length = lengths ? lengths.ints()[b * lengths.strides[0]] : keys.length;
    const int64_t offset = offsets ? offsets.ints()[b * offsets.strides[0]]
                           : call.integer(kAlign) == kTopLeft ? 0
                                                              : length - queries;
    AttendProblem p = problemOver(q, v, out, call.number(kScale));
    p.rows = group * queries;
    p.segments[0].keys = length;
    p.segments[0].key = keyRowsAt(k, b, keyHead, keys.first);
    p.segments[0].value = keyRowsAt(v, b, keyHead, keys.first);
    p.softcap = static_cast<float>(call.number(kSoftcap));
    p.alibi = static_cast<bool>(slopes);
    p.sinks = static_cast<bool>(sinks);
    p.bias = static_cast<bool>(bias);
    p.mask = static_cast<bool>(mask);
    if (bias) p.biasStride = bias.strides[3];
    if (mask) p.maskStride = mask.strides[3];
    const auto describe = [&](int64_t row, QueryRow& r) {
      // A division costs as much as all the rest; one head a key head needs none.
      const int64_t which = group == 1 ? 0 : row / queries, i = row - which * queries;
      const int64_t h = keyHead * group + which;
      placeQuery(q, out, lse, b, h, rows.first + i, r);
      r.position = i + offset;
      r.visible[0] = band.visible(r.position, length);
      if (slopes) r.slope = slopes.floats()[h * slopes.strides[0]];
      if (sinks) r.sink = sinks.floats()[h * sinks.strides[0]];
      if (bias) r.bias = bias.floats() + rowAt(bias, b, h, i);
      if (mask) r.mask = mask.bytes() + rowAt(mask, b, h, i);
    };
    p.describe = describe;
    work(p);
  });
}

double flops(const Call& call) {
  const Tensor &q = call.tensor(kQuery), &v = call.tensor(kValue);
  const Entries queries(q, call.tensor(kQueryCumulativeLengths));
  const Entries keys(call.tensor(kKey), call.tensor(kKeyCumulativeLengths));
  double pairs = 0;
  for (int64_t e = 0; e < queries.count(); ++e)
    pairs += static_cast<double>(q.shape[1] * queries[e].length * keys[e].length);
  return pairs * 2 * static_cast<double>(q.shape[3] + v.shape[3]) * (call.flag(kCausal) ? 0.5 : 1);
}

const Register registered({"scaledDotProductAttention", run, flops});

}  // namespace

}  // namespace fovea
