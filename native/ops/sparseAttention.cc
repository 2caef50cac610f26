// Factorised sparse attention, Child et al. 2019, sec. 4.2-4.3; see lib/ops/sparseAttention.ts.
//
// Both patterns are a local set A1 and a set A2 that carries information further:
//   strided  A1 |i - j| < l                A2 (i - j) mod l = 0
//   fixed    A1 floor(i/l) = floor(j/l)    A2 the summary columns of every block of l
// Rows of equal remainder by l share the strided A2, so they form a problem of their own; rows of a
// head share the fixed A2, as a list of columns. A merged strided head runs A1 over the rows in
// order and then goes on with what A2 adds, over the rows by remainder.
#include <algorithm>

#include "core/ceilDiv.h"
#include "core/registry.h"
#include "engine/attention/attend.h"
#include "ops/shared/attentionTensors.h"

namespace fovea {

namespace {

enum Slot { kQuery, kKey, kValue, kOut, kLse };
enum Param { kPattern, kStride, kSummary, kSummaryBlocks, kHeadMode, kCausal, kScale };
enum Pattern { kStrided, kFixed };
enum HeadMode { kMerged, kSplit, kFirst, kSecond };

struct Parts {
  bool first, second;
};

Parts partsOf(const Call& call, int64_t head) {
  switch (call.integer(kHeadMode)) {
    case kFirst:
      return {true, false};
    case kSecond:
      return {false, true};
    case kSplit:
      return {head % 2 == 0, head % 2 == 1};
    default:
      return {true, true};
  }
}

struct Shape {
  int64_t batch, heads, group, length;
  explicit Shape(const Call& call)
      : batch(call.tensor(kQuery).shape[0]),
        heads(call.tensor(kQuery).shape[1]),
        group(call.tensor(kKey).shape[1] ? heads / call.tensor(kKey).shape[1] : 1),
        length(call.tensor(kQuery).shape[2]) {}
};

AttendProblem problemOf(const Call& call) {
  return problemOver(call.tensor(kQuery), call.tensor(kValue), call.tensor(kOut),
                     call.number(kScale));
}

void locate(const Call& call, int64_t b, int64_t h, int64_t i, QueryRow& r) {
  placeQuery(call.tensor(kQuery), call.tensor(kOut), call.tensor(kLse), b, h, i, r);
}

AttendExtent extentOf(const Call& call, int64_t problems, int64_t rows) {
  AttendExtent extent{problems, rows, rows, call.tensor(kQuery).shape[3],
                      call.tensor(kValue).shape[3]};
  extent.plain = false;
  return extent;
}

// A1 of the strided pattern; `state` [B][H][L][2] for the heads that go on.
void attendNear(const Call& call, const Shape& s, float* state) {
  const int64_t stride = call.integer(kStride);
  const Band band{call.flag(kCausal), stride - 1, stride - 1};
  attend(call, extentOf(call, s.batch * s.heads, s.length), [&](int64_t index, auto work) {
    const int64_t b = index / s.heads, h = index % s.heads;
    const Parts parts = partsOf(call, h);
    if (!parts.first) return;
    AttendProblem p = problemOf(call);
    p.rows = s.length;
    p.segments[0] = {s.length, keyRowsAt(call.tensor(kKey), b, h / s.group),
                     keyRowsAt(call.tensor(kValue), b, h / s.group)};
    const auto describe = [&](int64_t i, QueryRow& r) {
      locate(call, b, h, i, r);
      if (parts.second) r.state = state + (index * s.length + i) * 2;
      r.visible[0] = band.visible(i, s.length);
    };
    p.describe = describe;
    work(p);
  });
}

// A2 of the strided pattern, without what A1 has had where both are merged.
void attendColumns(const Call& call, const Shape& s, float* state) {
  const int64_t stride = std::min(call.integer(kStride), s.length);
  const int64_t most = ceilDiv(s.length, stride);
  const bool causal = call.flag(kCausal);
  attend(call, extentOf(call, s.batch * s.heads * stride, most), [&](int64_t index, auto work) {
    const int64_t remainder = index % stride, head = index / stride;
    const int64_t b = head / s.heads, h = head % s.heads;
    const Parts parts = partsOf(call, h);
    if (!parts.second) return;
    AttendProblem p = problemOf(call);
    p.rows = ceilDiv(s.length - remainder, stride);
    p.segments[0] = {p.rows, keyRowsAt(call.tensor(kKey), b, h / s.group, remainder, stride),
                     keyRowsAt(call.tensor(kValue), b, h / s.group, remainder, stride)};
    p.segments[1] = p.segments[0];
    p.segmentCount = 2;
    p.resume = parts.first;
    const auto describe = [&](int64_t t, QueryRow& r) {
      const int64_t i = remainder + t * stride;
      locate(call, b, h, i, r);
      // Its own position is the one that A1 has, too.
      r.visible[0] = {0, parts.first ? t : t + 1};
      if (!causal) r.visible[1] = {t + 1, p.rows};
      if (parts.first) r.state = state + (head * s.length + i) * 2;
    };
    p.describe = describe;
    work(p);
  });
}

// Summary columns of the subblock u, ascending, and how many lie before a column.
class Summary {
 public:
  Summary(const Call& call, int64_t length, int64_t u)
      : stride_(call.integer(kStride)),
        width_(call.integer(kSummary)),
        begin_(stride_ - width_ * (u + 1)),
        length_(length) {}
  int64_t before(int64_t column) const {
    return column / stride_ * width_ + std::clamp<int64_t>(column % stride_ - begin_, 0, width_);
  }
  int64_t count() const { return before(length_); }
  int64_t column(int64_t n) const { return n / width_ * stride_ + begin_ + n % width_; }

 private:
  int64_t stride_, width_, begin_, length_;
};

void attendFixed(const Call& call, const Shape& s) {
  const int64_t stride = call.integer(kStride);
  const bool causal = call.flag(kCausal);
  attend(call, extentOf(call, s.batch * s.heads, s.length), [&](int64_t index, auto work) {
    const int64_t b = index / s.heads, h = index % s.heads;
    const Parts parts = partsOf(call, h);
    const Summary summary(call, s.length, h % call.integer(kSummaryBlocks));
    const int64_t columns = parts.second ? summary.count() : 0;
    Scratch& scratch = Scratch::ofThread();
    const Scratch::Scope scope(scratch);
    int32_t* listed = scratch.ints(columns);
    for (int64_t n = 0; n < columns; ++n) listed[n] = static_cast<int32_t>(summary.column(n));

    AttendProblem p = problemOf(call);
    p.rows = s.length;
    p.segmentCount = 3;
    const KeyRows key = keyRowsAt(call.tensor(kKey), b, h / s.group);
    const KeyRows value = keyRowsAt(call.tensor(kValue), b, h / s.group);
    p.segments[0] = {s.length, key, value};
    p.segments[1] = {columns, key, value};  // columns before the row's own block
    p.segments[1].key.index = p.segments[1].value.index = listed;
    p.segments[2] = p.segments[1];  // and behind it
    const auto describe = [&](int64_t i, QueryRow& r) {
      locate(call, b, h, i, r);
      const int64_t begin = i / stride * stride;
      const int64_t end = std::min(s.length, begin + stride), last = causal ? i + 1 : end;
      if (parts.first) r.visible[0] = {begin, last};
      if (!parts.second) return;
      // Without A1 the columns of its own block count as well.
      r.visible[1] = {0, summary.before(parts.first ? begin : last)};
      if (!causal) r.visible[2] = {summary.before(end), columns};
    };
    p.describe = describe;
    work(p);
  });
}

void run(const Call& call) {
  const Shape s(call);
  if (s.batch * s.heads * s.length == 0) return;
  if (call.integer(kPattern) == kFixed) {
    attendFixed(call, s);
    return;
  }
  Scratch& shared = Scratch::ofThread();
  const Scratch::Scope scope(shared);
  float* state = call.integer(kHeadMode) == kMerged
                     ? shared.floats(s.batch * s.heads * s.length * 2)
                     : nullptr;
  attendNear(call, s, state);
  attendColumns(call, s, state);
}

double flops(const Call& call) {
  const Shape s(call);
  const double l = std::min(call.number(kStride), static_cast<double>(s.length));
  const double keys = l + static_cast<double>(s.length) / l;
  return static_cast<double>(s.batch * s.heads * s.length) * keys *
         static_cast<double>(call.tensor(kQuery).shape[3] + call.tensor(kValue).shape[3]);
}

const Register registered({"sparseAttention", run, flops});

}  // namespace

}  // namespace fovea
