// Sliding windows, dilated per head, with global tokens: Longformer, Beltagy et al. 2020, sec. 3.1;
// see lib/ops/slidingWindowAttention.ts.
//
// Positions with the same remainder by the dilation form a sequence of their own, in which the
// window is an ordinary band: a problem is one remainder of one head, its rows and keys are strided
// views. Global keys that lie in a row's window are met there, the others as further segments. Rows
// that are global themselves are attended a second time, densely, which overwrites the first.
#include <algorithm>

#include "core/parallel.h"
#include "core/registry.h"
#include "engine/attend.h"
#include "ops/attentionSlots.h"

namespace fovea {

namespace {

enum Slot {
  kQuery,
  kKey,
  kValue,
  kGlobalTokens,
  kKeyLengths,
  kGlobalQuery,
  kGlobalKey,
  kGlobalValue,
  kOut,
  kLse
};
enum Param { kScale, kWindowLeft, kWindowRight, kCausal, kDilation };  // kDilation: one a head

// The global tokens of a batch entry, sorted by position.
struct Globals {
  const int32_t* positions;
  int64_t count;
};

// Those of them with one remainder, as positions among its sequence, and the others.
struct Parted {
  int32_t* own;  // positions in the whole sequence
  int32_t* others;
  int64_t ownCount = 0, otherCount = 0;
};

int64_t lengthOf(const Call& c, int64_t b) {
  const Tensor& lengths = c.tensor(kKeyLengths);
  return lengths ? lengths.ints()[b * lengths.strides[0]] : c.tensor(kQuery).shape[2];
}

AttendProblem problemOf(const Call& c) {
  AttendProblem p;
  p.depth = static_cast<int>(c.tensor(kQuery).shape[3]);
  p.valueDepth = static_cast<int>(c.tensor(kValue).shape[3]);
  p.outInner = c.tensor(kOut).strides[3];
  p.scale = static_cast<float>(c.number(kScale));
  return p;
}

void attendWindows(const Call& c, const Globals* globals, Scratch& shared) {
  const Tensor &q = c.tensor(kQuery), &k = c.tensor(kKey), &v = c.tensor(kValue);
  const Tensor &out = c.tensor(kOut), &lse = c.tensor(kLse);
  const int64_t heads = q.shape[1], length = q.shape[2];
  const Band band{c.flag(kCausal), c.integer(kWindowLeft), c.integer(kWindowRight)};

  // Problem number -> head, remainder: heads have as many problems as their dilation.
  auto* firstOf =
      reinterpret_cast<int64_t*>(shared.bytes((heads + 1) * static_cast<int64_t>(sizeof(int64_t))));
  firstOf[0] = 0;
  int64_t rows = 0;
  for (int64_t h = 0; h < heads; ++h) {
    const int64_t dilation = std::min(c.integer(kDilation + static_cast<int>(h)), length);
    firstOf[h + 1] = firstOf[h] + dilation;
    rows = std::max(rows, (length + dilation - 1) / dilation);
  }
  AttendExtent extent{q.shape[0] * firstOf[heads], rows, rows, q.shape[3], v.shape[3]};
  extent.plain = !globals;
  attend(c, extent, [&](int64_t index, FunctionRef<void(const AttendProblem&)> work) {
    const int64_t b = index / firstOf[heads], within = index % firstOf[heads];
    const int64_t h = std::upper_bound(firstOf, firstOf + heads + 1, within) - firstOf - 1;
    const int64_t remainder = within - firstOf[h], dilation = firstOf[h + 1] - firstOf[h];
    const int64_t real = lengthOf(c, b);
    const int64_t keys = (real - remainder + dilation - 1) / dilation;

    AttendProblem p = problemOf(c);
    p.rows = (length - remainder + dilation - 1) / dilation;
    p.queryInner = q.strides[3];
    p.segments[0] = {std::max<int64_t>(keys, 0), keyRowsAt(k, b, h, remainder, dilation),
                     keyRowsAt(v, b, h, remainder, dilation)};
    Scratch& scratch = Scratch::ofThread();
    const Scratch::Scope scope(scratch);
    Parted parted{};
    if (globals) {
      parted.own = scratch.ints(globals[b].count);
      parted.others = scratch.ints(globals[b].count);
      for (int64_t g = 0; g < globals[b].count; ++g) {
        const int32_t at = globals[b].positions[g];
        if (at % dilation == remainder)
          parted.own[parted.ownCount++] = at;
        else
          parted.others[parted.otherCount++] = at;
      }
      KeySegment listed{parted.ownCount, keyRowsAt(k, b, h), keyRowsAt(v, b, h)};
      listed.key.index = listed.value.index = parted.own;
      p.segments[1] = p.segments[2] = listed;  // those before the window, and those behind it
      listed.keys = parted.otherCount;
      listed.key.index = listed.value.index = parted.others;
      p.segments[3] = listed;
      p.segmentCount = 4;
    }
    const auto describe = [&](int64_t row, QueryRow& r) {
      const int64_t i = remainder + row * dilation;
      r.query = q.floats() + rowAt(q, b, h, i);
      r.out = out.floats() + rowAt(out, b, h, i);
      if (lse) r.lse = lse.floats() + rowAt(lse, b, h, i);
      if (i >= real) return;
      r.visible[0] = band.visible(row, p.segments[0].keys);
      if (!globals) return;
      const int32_t *own = parted.own, *end = own + parted.ownCount;
      const auto before =
          [&](int64_t step) {  // how many of its own lie before a step of its sequence
            return std::lower_bound(own, end, remainder + step * dilation) - own;
          };
      const Interval& seen = r.visible[0];
      r.visible[1] = {0, before(seen.begin)};
      r.visible[2] = {before(seen.end), parted.ownCount};
      r.visible[3] = {0, parted.otherCount};
    };
    p.describe = describe;
    work(p);
  });
}

// Rows of global tokens: every key, with projections of their own where there are some.
void attendGlobals(const Call& c, const Globals* globals) {
  const bool own = static_cast<bool>(c.tensor(kGlobalQuery));
  const Tensor& q = c.tensor(own ? kGlobalQuery : kQuery);
  const Tensor& k = c.tensor(own ? kGlobalKey : kKey);
  const Tensor& v = c.tensor(own ? kGlobalValue : kValue);
  const Tensor& out = c.tensor(kOut);
  const int64_t heads = q.shape[1];
  int64_t most = 0;
  for (int64_t b = 0; b < q.shape[0]; ++b) most = std::max(most, globals[b].count);
  AttendExtent extent{q.shape[0] * heads, most, q.shape[2], q.shape[3], v.shape[3]};
  attend(c, extent, [&](int64_t index, FunctionRef<void(const AttendProblem&)> work) {
    const int64_t b = index / heads, h = index % heads;
    AttendProblem p = problemOf(c);
    p.rows = globals[b].count;
    p.queryInner = q.strides[3];
    p.segments[0] = {lengthOf(c, b), keyRowsAt(k, b, h), keyRowsAt(v, b, h)};
    const auto describe = [&](int64_t row, QueryRow& r) {
      const int64_t i = globals[b].positions[row];
      r.query = q.floats() + rowAt(q, b, h, i);
      r.out = out.floats() + rowAt(out, b, h, i);
      r.visible[0] = {0, p.segments[0].keys};
    };
    p.describe = describe;
    work(p);
  });
}

void run(const Call& c) {
  if (c.tensor(kQuery).shape[2] == 0) return;
  const Tensor& flags = c.tensor(kGlobalTokens);
  Scratch& shared = Scratch::ofThread();
  const Scratch::Scope scope(shared);
  if (!flags) {
    attendWindows(c, nullptr, shared);
    return;
  }
  // One copy of the flags, as lists: they may change under the engine, the lists do not.
  const int64_t batch = flags.shape[0];
  auto* globals =
      reinterpret_cast<Globals*>(shared.bytes(batch * static_cast<int64_t>(sizeof(Globals))));
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t length = lengthOf(c, b);
    int32_t* positions = shared.ints(length);
    int64_t count = 0;
    for (int64_t j = 0; j < length; ++j)
      if (flags.bytes()[b * flags.strides[0] + j * flags.strides[1]])
        positions[count++] = static_cast<int32_t>(j);
    globals[b] = {positions, count};
  }
  attendWindows(c, globals, shared);
  attendGlobals(c, globals);
}

double flops(const Call& c) {
  const Tensor &q = c.tensor(kQuery), &v = c.tensor(kValue);
  const double length = static_cast<double>(q.shape[2]);
  const double window = std::min(length, c.number(kWindowLeft) + c.number(kWindowRight) + 1);
  return static_cast<double>(q.shape[0] * q.shape[1]) * length * window * 2 *
         static_cast<double>(q.shape[3] + v.shape[3]);
}

const Register registered({"slidingWindowAttention", run, flops});

}  // namespace

}  // namespace fovea
