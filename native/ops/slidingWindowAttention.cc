// Sliding windows, dilated per head, with global tokens: Longformer, Beltagy et al. 2020, sec. 3.1;
// see lib/ops/slidingWindowAttention.ts.
//
// Positions with the same remainder by the dilation form a sequence of their own, in which the
// window is an ordinary band: a problem is one remainder of one head, its rows and keys are strided
// views. Global keys that lie in a row's window are met there, the others as further segments. Rows
// that are global themselves are attended a second time, densely, which overwrites the first.
#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
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
  kGlobalTokens,
  kKeyLengths,
  kGlobalQuery,
  kGlobalKey,
  kGlobalValue,
  kCumulativeLengths,
  kOut,
  kLse
};
enum Param { kScale, kWindowLeft, kWindowRight, kCausal, kDilation };  // kDilation: one a head

// The global tokens of an entry, sorted by position in it.
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

// The positions of an entry that are real.
int64_t lengthOf(const Call& call, const Entry& own) {
  const Tensor& lengths = call.tensor(kKeyLengths);
  return lengths ? lengths.ints()[own.b * lengths.strides[0]] : own.length;
}

void attendWindows(const Call& call, const Entries& entries, const Globals* globals,
                   Scratch& shared) {
  const Tensor &q = call.tensor(kQuery), &k = call.tensor(kKey), &v = call.tensor(kValue);
  const Tensor &out = call.tensor(kOut), &lse = call.tensor(kLse);
  const int64_t heads = q.shape[1], longest = entries.longest(), shortest = entries.shortest();
  const Band band{call.flag(kCausal), call.integer(kWindowLeft), call.integer(kWindowRight)};

  // Problem number -> head, remainder: heads have as many problems as their dilation.
  auto* firstOf = shared.array<int64_t>(heads + 1);
  firstOf[0] = 0;
  int64_t rows = 0, leastRows = INT64_MAX;
  for (int64_t h = 0; h < heads; ++h) {
    const int64_t dilation = std::min(call.integer(kDilation + static_cast<int>(h)), longest);
    firstOf[h + 1] = firstOf[h] + dilation;
    rows = std::max(rows, ceilDiv(longest, dilation));
    leastRows = std::min(leastRows, shortest / dilation);
  }
  const AttendExtent extent{
      entries.count() * firstOf[heads], rows, rows, q.shape[3], v.shape[3], !globals, leastRows};
  attend(call, extent, [&](int64_t index, FunctionRef<void(const AttendProblem&)> work) {
    const int64_t e = index / firstOf[heads], within = index % firstOf[heads];
    const Entry own = entries[e];
    const int64_t h = std::upper_bound(firstOf, firstOf + heads + 1, within) - firstOf - 1;
    const int64_t remainder = within - firstOf[h], dilation = firstOf[h + 1] - firstOf[h];
    if (remainder >= own.length) return;
    const int64_t real = lengthOf(call, own), first = own.first + remainder;

    AttendProblem p = problemOver(q, v, out, call.number(kScale));
    p.rows = ceilDiv(own.length - remainder, dilation);
    p.segments[0] = {ceilDiv(std::max<int64_t>(real - remainder, 0), dilation),
                     keyRowsAt(k, own.b, h, first, dilation),
                     keyRowsAt(v, own.b, h, first, dilation)};
    Scratch& scratch = Scratch::ofThread();
    const Scratch::Scope scope(scratch);
    Parted parted{};
    if (globals) {
      parted.own = scratch.ints(globals[e].count);
      parted.others = scratch.ints(globals[e].count);
      for (int64_t g = 0; g < globals[e].count; ++g) {
        const int32_t at = globals[e].positions[g];
        if (at % dilation == remainder)
          parted.own[parted.ownCount++] = at;
        else
          parted.others[parted.otherCount++] = at;
      }
      KeySegment listed{parted.ownCount, keyRowsAt(k, own.b, h, own.first),
                        keyRowsAt(v, own.b, h, own.first)};
      listed.key.index = listed.value.index = parted.own;
      p.segments[1] = p.segments[2] = listed;  // those before the window, and those behind it
      listed.keys = parted.otherCount;
      listed.key.index = listed.value.index = parted.others;
      p.segments[3] = listed;
      p.segmentCount = 4;
    }
    const auto describe = [&](int64_t row, QueryRow& r) {
      const int64_t i = first + row * dilation;
      placeQuery(q, out, lse, own.b, h, i, r);
      if (i - own.first >= real) return;
      r.visible[0] = band.visible(row, p.segments[0].keys);
      if (!globals) return;
      const int32_t *begin = parted.own, *end = begin + parted.ownCount;
      const auto before =
          [&](int64_t step) {  // how many of its own lie before a step of its sequence
            return std::lower_bound(begin, end, remainder + step * dilation) - begin;
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
void attendGlobals(const Call& call, const Entries& entries, const Globals* globals) {
  const bool projected = static_cast<bool>(call.tensor(kGlobalQuery));
  const Tensor& q = call.tensor(projected ? kGlobalQuery : kQuery);
  const Tensor& k = call.tensor(projected ? kGlobalKey : kKey);
  const Tensor& v = call.tensor(projected ? kGlobalValue : kValue);
  const Tensor& out = call.tensor(kOut);
  const int64_t heads = q.shape[1];
  int64_t most = 0, least = INT64_MAX;
  for (int64_t e = 0; e < entries.count(); ++e) {
    most = std::max(most, globals[e].count);
    least = std::min(least, globals[e].count);
  }
  const AttendExtent extent{
      entries.count() * heads, most, entries.longest(), q.shape[3], v.shape[3], true, least};
  attend(call, extent, [&](int64_t index, FunctionRef<void(const AttendProblem&)> work) {
    const int64_t e = index / heads, h = index % heads;
    const Entry own = entries[e];
    AttendProblem p = problemOver(q, v, out, call.number(kScale));
    p.rows = globals[e].count;
    p.segments[0] = {lengthOf(call, own), keyRowsAt(k, own.b, h, own.first),
                     keyRowsAt(v, own.b, h, own.first)};
    const auto describe = [&](int64_t row, QueryRow& r) {
      placeQuery(q, out, {}, own.b, h, own.first + globals[e].positions[row], r);
      r.visible[0] = {0, p.segments[0].keys};
    };
    p.describe = describe;
    work(p);
  });
}

// One copy of the flags, as lists: they may change under the engine, the lists do not.
Globals* listGlobals(const Call& call, const Entries& entries, Scratch& shared) {
  const Tensor& flags = call.tensor(kGlobalTokens);
  auto* globals = shared.array<Globals>(entries.count());
  for (int64_t e = 0; e < entries.count(); ++e) {
    const Entry own = entries[e];
    const int64_t length = lengthOf(call, own);
    int32_t* positions = shared.ints(length);
    int64_t count = 0;
    for (int64_t j = 0; j < length; ++j)
      if (flags.bytes()[own.b * flags.strides[0] + (own.first + j) * flags.strides[1]])
        positions[count++] = static_cast<int32_t>(j);
    globals[e] = {positions, count};
  }
  return globals;
}

void run(const Call& call) {
  if (call.tensor(kQuery).shape[2] == 0) return;
  const Entries entries(call.tensor(kQuery), call.tensor(kCumulativeLengths));
  Scratch& shared = Scratch::ofThread();
  const Scratch::Scope scope(shared);
  const Globals* globals =
      call.tensor(kGlobalTokens) ? listGlobals(call, entries, shared) : nullptr;
  attendWindows(call, entries, globals, shared);
  if (globals) attendGlobals(call, entries, globals);
}

double flops(const Call& call) {
  const Tensor &q = call.tensor(kQuery), &v = call.tensor(kValue);
  const double length = static_cast<double>(q.shape[2]);
  const double window = std::min(length, call.number(kWindowLeft) + call.number(kWindowRight) + 1);
  return static_cast<double>(q.shape[0] * q.shape[1]) * length * window * 2 *
         static_cast<double>(q.shape[3] + v.shape[3]);
}

const Register registered({"slidingWindowAttention", run, flops});

}  // namespace

}  // namespace fovea
