// Attention over any pattern given as rows of blocks; see lib/ops/blockSparseAttention.ts. A
// problem is one row of blocks: its queries look at the listed blocks of keys.
#include <algorithm>
#include <cstring>

#include "core/ceilDiv.h"
#include "core/registry.h"
#include "engine/attention/attend.h"
#include "ops/shared/attentionTensors.h"

namespace fovea {

namespace {

enum Slot { kQuery, kKey, kValue, kRowOffsets, kColumnIndices, kBlockMask, kOut, kLse };
enum Param { kBlockSize, kScale };

// Axes of the pattern, which may or may not have one for the heads in front.
struct Pattern {
  const int32_t *offsets, *columns;
  int64_t offsetsOfHead = 0, columnsOfHead = 0;
  explicit Pattern(const Call& call)
      : offsets(call.tensor(kRowOffsets).ints()), columns(call.tensor(kColumnIndices).ints()) {
    if (call.tensor(kRowOffsets).rank < 2) return;
    offsetsOfHead = call.tensor(kRowOffsets).shape[1];
    columnsOfHead = call.tensor(kColumnIndices).shape[1];
  }
};

// blockMask of entries [first, first + count) as [queries][count * size] bytes; cut blocks too.
const uint8_t* expandMask(const Tensor& mask, int64_t head, int64_t first, int64_t count,
                          int64_t size, int64_t queries, Scratch& scratch) {
  const bool perHead = mask.rank == 4;
  const int64_t* strides = mask.strides + (perHead ? 1 : 0);
  const uint8_t* from = mask.bytes() + (perHead ? head * mask.strides[0] : 0);
  uint8_t* to = scratch.bytes(queries * count * size);
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t e = 0; e < count; ++e)
      for (int64_t j = 0; j < size; ++j)
        to[(i * count + e) * size + j] =
            from[(first + e) * strides[0] + i * strides[1] + j * strides[2]];
  return to;
}

void run(const Call& call) {
  const Tensor &q = call.tensor(kQuery), &k = call.tensor(kKey), &v = call.tensor(kValue);
  const Tensor &mask = call.tensor(kBlockMask), &out = call.tensor(kOut), &lse = call.tensor(kLse);
  const int64_t heads = q.shape[1], queries = q.shape[2], keys = k.shape[2];
  if (heads == 0 || queries == 0) return;
  const int64_t group = heads / k.shape[1], size = call.integer(kBlockSize);
  const int64_t blockRows = ceilDiv(queries, size);
  const Pattern pattern(call);
  const AttendExtent extent{q.shape[0] * heads * blockRows, std::min(size, queries), keys,
                            q.shape[3], v.shape[3]};
  attend(call, extent, [&](int64_t index, FunctionRef<void(const AttendProblem&)> work) {
    const int64_t r = index % blockRows, h = index / blockRows % heads;
    const int64_t b = index / blockRows / heads;
    const int32_t* offsets = pattern.offsets + h * pattern.offsetsOfHead;
    const int32_t* columns = pattern.columns + h * pattern.columnsOfHead;
    const int64_t first = offsets[r], count = offsets[r + 1] - first;

    AttendProblem p = problemOver(q, v, out, call.number(kScale));
    p.rows = std::min(size, queries - r * size);
    Scratch& scratch = Scratch::ofThread();
    const Scratch::Scope scope(scratch);
    int32_t* listed = scratch.ints(count * size);
    int64_t seen = 0;
    for (int64_t e = 0; e < count; ++e) {
      const int64_t begin = columns[first + e] * size, end = std::min(keys, begin + size);
      for (int64_t j = begin; j < end; ++j) listed[seen++] = static_cast<int32_t>(j);
    }
    // Only the last block of keys can be cut, and it is the last of its row.
    const uint8_t* hidden =
        mask ? expandMask(mask, h, first, count, size, p.rows, scratch) : nullptr;
    p.segments[0] = {seen, keyRowsAt(k, b, h / group), keyRowsAt(v, b, h / group)};
    p.segments[0].key.index = p.segments[0].value.index = listed;
    p.mask = hidden != nullptr;
    p.maskStride = 1;
    const auto describe = [&](int64_t row, QueryRow& to) {
      placeQuery(q, out, lse, b, h, r * size + row, to);
      to.visible[0] = {0, seen};
      if (hidden) to.mask = hidden + row * count * size;
    };
    p.describe = describe;
    work(p);
  });
}

double flops(const Call& call) {
  const double size = call.number(kBlockSize),
               blocks = static_cast<double>(call.tensor(kColumnIndices).size());
  const Tensor& q = call.tensor(kQuery);
  const double heads = call.tensor(kRowOffsets).rank < 2 ? static_cast<double>(q.shape[1]) : 1;
  return static_cast<double>(q.shape[0]) * heads * blocks * size * size * 2 *
         static_cast<double>(q.shape[3] + call.tensor(kValue).shape[3]);
}

const Register registered({"blockSparseAttention", run, flops});

}  // namespace

}  // namespace fovea
