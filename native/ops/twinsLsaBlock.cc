// timm's LocallyGroupedAttn; see lib/ops/twinsLsaBlock.ts.
#include <algorithm>
#include <cmath>

#include "core/registry.h"
#include "engine/attention/attend.h"
#include "engine/attention/windowLanes.h"
#include "engine/matrix/weightPack.h"
#include "keysets/windowGrid.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kQkvWeight, kQkvBias, kProjWeight, kProjBias };
enum Param { kHeads, kWindowSize, kHeight, kWidth, kPadMode };
enum PadMode { kZeros, kExclude };

WeightPack packOf(const Call& call) { return WeightPack(call, kQkvWeight, kProjBias); }

WindowGrid gridOf(const Call& call) {
  return {call.integer(kHeight), call.integer(kWidth), call.integer(kWindowSize),
          call.integer(kWindowSize)};
}

// From qkv [B N, 3 C] to mixed [B N, C]: small windows, one a lane. `bias` as below.
void attendInLanes(const Call& call, const WindowGrid& grid, float* qkv, const float* bias,
                   float* mixed) {
  const Tensor& x = call.tensor(kX);
  const int64_t width = x.shape[2], pitch = 3 * width;
  const int64_t heads = call.integer(kHeads), depth = width / heads;
  WindowProblem p;
  p.grid = grid;
  p.heads = x.shape[0] * heads;
  p.depth = p.valueDepth = depth;
  p.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(depth)));
  p.missing = call.integer(kPadMode) == kZeros;
  const auto headOf = [&](int64_t index) {
    const int64_t token = index / heads * x.shape[1], h = index % heads;
    float* query = qkv + token * pitch + h * depth;
    const float* own = bias + h * depth;
    return WindowHead{{query, pitch},
                      {query + width, pitch},
                      {query + 2 * width, pitch},
                      {mixed + token * width + h * depth, width},
                      own + width,
                      own + 2 * width};
  };
  p.headOf = headOf;
  attendWindowsInLanes(call, p);
}

// The same for large windows, in panels of queries: from qkv [B N, 3 C] to mixed [B N, C]. A token
// beyond the map was zero before the projection: its key and value are the bias, [3 C].
void attendInPanels(const Call& call, const WindowGrid& grid, const float* qkv, const float* bias,
                    float* mixed) {
  const Tensor& x = call.tensor(kX);
  const int64_t tokensOfMap = x.shape[1], width = x.shape[2], pitch = 3 * width;
  const int64_t heads = call.integer(kHeads), depth = width / heads;
  const int64_t windows = grid.count(), most = grid.most();
  const bool zeros = call.integer(kPadMode) == kZeros;
  AttendExtent extent{x.shape[0] * heads * windows, most, most, depth, depth};
  const bool whole = grid.height % grid.windowHeight == 0 && grid.width % grid.windowWidth == 0;
  extent.plain = whole || !zeros;
  attend(call, extent, [&](int64_t index, FunctionRef<void(const AttendProblem&)> work) {
    const int64_t head = index / windows, b = head / heads, h = head % heads;
    const WindowGrid::Window window = grid.window(index % windows);
    const int64_t tokens = window.tokens();
    const auto missing = static_cast<int64_t>(zeros ? grid.missing(window) : 0);
    Scratch& scratch = Scratch::ofThread();
    const Scratch::Scope scope(scratch);
    int32_t* listed = scratch.ints(tokens);
    grid.list(window, listed);

    const float* query = qkv + b * tokensOfMap * pitch + h * depth;
    AttendProblem p;
    p.rows = tokens;
    p.depth = p.valueDepth = static_cast<int>(depth);
    p.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(depth)));
    p.segments[0] = {
        tokens, {query + width, pitch, 1, listed}, {query + 2 * width, pitch, 1, listed}};
    if (missing > 0) {
      const float* own = bias + h * depth;
      p.segments[1] = {missing, {own + width, 0, 1}, {own + 2 * width, 0, 1}};
      p.segmentCount = 2;
    }
    const auto describe = [&](int64_t row, QueryRow& r) {
      r.query = query + listed[row] * pitch;
      r.out = mixed + (b * tokensOfMap + listed[row]) * width + h * depth;
      r.visible[0] = {0, tokens};
      r.visible[1] = {0, missing};
    };
    p.describe = describe;
    work(p);
  });
}

void run(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const int64_t rows = x.shape[0] * x.shape[1], width = x.shape[2];
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const WeightPack weights = packOf(call);
  const float* packed = weights.provide(scratch);
  float* qkv = scratch.floats(rows * 3 * width);
  float* mixed = scratch.floats(rows * width);
  const LinearMap in = weights.map(packed, kQkvWeight, kQkvBias);
  gemm(call, in.problem(rows, MatrixRows(x), MatrixRows(qkv, 3 * width, 1)));
  const float* bias = in.bias;
  if (!bias) {
    float* none = scratch.floats(3 * width);
    std::fill(none, none + 3 * width, 0.0f);
    bias = none;
  }
  const WindowGrid grid = gridOf(call);
  if (grid.most() <= kMostLaneTokens)
    attendInLanes(call, grid, qkv, bias, mixed);
  else
    attendInPanels(call, grid, qkv, bias, mixed);
  const LinearMap out = weights.map(packed, kProjWeight, kProjBias);
  gemm(call, out.problem(rows, MatrixRows(mixed, width, 1), MatrixRows(call.tensor(kOut))));
}

double flops(const Call& call) {
  const Tensor& x = call.tensor(kX);
  return static_cast<double>(x.size()) *
         static_cast<double>(8 * x.shape[2] + 4 * gridOf(call).most());
}

const Register registered({"twinsLsaBlock", run, flops, Packed<packOf>::floats,
                           Packed<packOf>::pack});

}  // namespace

}  // namespace fovea
