// Twins' locally-grouped attention; see lib/ops/locallyGroupedAttention.ts.
#include <cmath>

#include "core/registry.h"
#include "engine/attention/attend.h"
#include "engine/attention/windowLanes.h"
#include "keysets/windowGrid.h"
#include "ops/shared/attentionTensors.h"

namespace fovea {

namespace {

enum Slot { kQuery, kKey, kValue, kOut };
enum Param { kHeight, kWidth, kWindowHeight, kWindowWidth, kPadMode, kScale };
enum PadMode { kExclude, kZeros };

WindowGrid gridOf(const Call& call) {
  return {call.integer(kHeight), call.integer(kWidth), call.integer(kWindowHeight),
          call.integer(kWindowWidth)};
}

// Small windows: one a lane.
void attendInLanes(const Call& call, const WindowGrid& grid) {
  const Tensor &q = call.tensor(kQuery), &k = call.tensor(kKey), &v = call.tensor(kValue);
  const Tensor& out = call.tensor(kOut);
  WindowProblem p;
  p.grid = grid;
  p.heads = q.shape[0] * q.shape[1];
  p.depth = q.shape[3];
  p.valueDepth = v.shape[3];
  p.scale = static_cast<float>(call.number(kScale));
  p.missing = call.integer(kPadMode) == kZeros;
  const auto headOf = [&](int64_t head) {
    const auto tokens = [&](const Tensor& t) {
      return TokenMap{t.at(rowAt(t, head / q.shape[1], head % q.shape[1], 0)), t.strides[2],
                      t.strides[3], t.dtype};
    };
    return WindowHead{tokens(q), tokens(k), tokens(v), tokens(out)};
  };
  p.headOf = headOf;
  attendWindowsInLanes(call, p);
}

// Large windows: panels of queries.
void attendInPanels(const Call& call, const WindowGrid& grid) {
  const Tensor &q = call.tensor(kQuery), &k = call.tensor(kKey), &v = call.tensor(kValue);
  const Tensor& out = call.tensor(kOut);
  const int64_t heads = q.shape[1], windows = grid.count(), most = grid.most();
  const AttendExtent extent{q.shape[0] * heads * windows, most, most, q.shape[3], v.shape[3]};
  attend(call, extent, [&](int64_t index, FunctionRef<void(const AttendProblem&)> work) {
    const int64_t head = index / windows, b = head / heads, h = head % heads;
    const WindowGrid::Window window = grid.window(index % windows);
    const int64_t tokens = window.tokens();
    Scratch& scratch = Scratch::ofThread();
    const Scratch::Scope scope(scratch);
    int32_t* listed = scratch.ints(tokens);
    grid.list(window, listed);

    AttendProblem p = problemOver(q, v, out, call.number(kScale));
    p.rows = tokens;
    p.segments[0] = {tokens, keyRowsAt(k, b, h), keyRowsAt(v, b, h)};
    p.segments[0].key.index = p.segments[0].value.index = listed;
    // Keys and values of zeros add exp(0) each to the denominator and nothing else.
    const double missing = call.integer(kPadMode) == kZeros ? grid.missing(window) : 0;
    p.sinks = missing > 0;
    const float sink = p.sinks ? static_cast<float>(std::log(missing)) : 0.0f;
    const auto describe = [&](int64_t row, QueryRow& r) {
      placeQuery(q, out, {}, b, h, listed[row], r);
      r.visible[0] = {0, tokens};
      r.sink = sink;
    };
    p.describe = describe;
    work(p);
  });
}

void run(const Call& call) {
  const WindowGrid grid = gridOf(call);
  if (grid.most() <= kMostLaneTokens)
    attendInLanes(call, grid);
  else
    attendInPanels(call, grid);
}

double flops(const Call& call) {
  const Tensor &q = call.tensor(kQuery), &v = call.tensor(kValue);
  return static_cast<double>(q.shape[0] * q.shape[1] * q.shape[2] * gridOf(call).most()) * 2 *
         static_cast<double>(q.shape[3] + v.shape[3]);
}

const Register registered({"locallyGroupedAttention", run, flops});

}  // namespace

}  // namespace fovea
