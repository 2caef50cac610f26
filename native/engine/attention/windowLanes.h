// Attention inside the windows of a map, windows of equal size side by side in the lanes: however
// small they are, nothing is computed in vain but where the last vector is not full.
#pragma once
#include <cstdint>

#include "core/call.h"
#include "core/functionRef.h"
#include "keysets/windowGrid.h"

namespace fovea {

// Tokens of a map, of one head of one batch entry: token n at data + n * stride.
struct TokenMap {
  void* data = nullptr;
  int64_t stride = 0, inner = 1;
  Dtype dtype = Dtype::kFloat32;
};

struct WindowHead {
  TokenMap query, key, value, out;
  // The key and value that every position beyond the map takes part with; null: zeros.
  const float *missingKey = nullptr, *missingValue = nullptr;
};

struct WindowProblem {
  WindowGrid grid;
  int64_t heads = 0;  // of all batch entries
  int64_t depth = 0, valueDepth = 0;
  float scale = 1;
  bool missing = false;  // whether positions beyond the map take part
  FunctionRef<WindowHead(int64_t head)> headOf;
};

// Tokens of a window that the lanes serve; larger ones fill panels of queries well enough.
inline constexpr int64_t kMostLaneTokens = 128;

// Scratch a thread: 4 lanes tokens (2 D + Dv) bytes for the windows of a vector, at most 1.6 MB for
// D = Dv = 64, and queries, scores and results of seven vectors of queries.
void attendWindowsInLanes(const Call& call, const WindowProblem& problem);

}  // namespace fovea
