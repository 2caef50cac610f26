#include "engine/attention/queryPanel.h"

#include <algorithm>
#include <cstring>

#include "core/numbers.h"
#include "engine/matrix/readFloats.h"
#include "kernels/attention/attendPanel.h"

namespace fovea {

namespace {

void clear(float* to, int64_t floats) {
  std::memset(to, 0, sizeof(float) * static_cast<size_t>(floats));
}

// Brings queries into the lanes, times scale.
void packQueries(const AttendProblem& p, const QueryRow* rows, int count, float* packed) {
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const float* from[kPanel];
  const bool floats = p.queryDtype == Dtype::kFloat32;
  float* wide = floats ? nullptr : scratch.floats(int64_t{count} * p.depth);
  for (int i = 0; i < count; ++i) {
    float* to = wide + int64_t{i} * p.depth;
    if (!floats) readFloats(rows[i].query, p.queryDtype, p.queryInner, to, p.depth);
    from[i] = floats ? static_cast<const float*>(rows[i].query) : to;
  }
  pack().panel(from, floats ? p.queryInner : 1, count, p.depth, p.scale * kLog2e, packed);
}

}  // namespace

int64_t panelBegin(int64_t rows, int64_t panel) {
  constexpr int64_t kVector = 16;
  const int64_t last = (rows - 1) / kPanel;
  if (panel > last) return rows;
  const bool narrow = panel == last && panel > 0 && rows - last * kPanel <= kVector;
  return panel * kPanel - (narrow ? kVector : 0);
}

void QueryPanel::describe(const AttendProblem& p, int64_t first, int count, Scratch& scratch) {
  queries = count;
  rows = scratch.array<QueryRow>(count);
  if (p.alibi) {
    slopes = scratch.floats(kPanel);
    excess = scratch.floats(kPanel);
  }
  if (p.sinks) sinks = scratch.floats(kPanel);
  p.describe(first, count, rows);
  for (int i = 0; p.alibi && i < count; ++i) excess[i] = rows[i].settle(p.segments[0].keys);
  for (int i = 1; i < count; ++i)
    sharesAddend = sharesAddend && rows[i].bias == rows[0].bias && rows[i].mask == rows[0].mask;
  for (int s = 0; s < p.segmentCount; ++s) {
    Sight sight;
    for (int i = 0; i < count; ++i) {
      const Interval& seen = rows[i].visible[s];
      sight.everyBegin = std::max(sight.everyBegin, seen.begin);
      sight.everyEnd = std::min(sight.everyEnd, seen.end);
      if (seen.begin >= seen.end) continue;
      sight.anyBegin = std::min(sight.anyBegin, seen.begin);
      sight.anyEnd = std::max(sight.anyEnd, seen.end);
    }
    if (sight.everyBegin > 0 || sight.everyEnd < p.segments[s].keys) {
      sight.begin = scratch.array<double>(kPanel);
      sight.end = scratch.array<double>(kPanel);
      for (int i = 0; i < kPanel; ++i) {
        const Interval& seen = rows[std::min(i, count - 1)].visible[s];
        sight.begin[i] = static_cast<double>(seen.begin);
        sight.end[i] = static_cast<double>(seen.end);
      }
    }
    sights[s] = sight;
  }
  // Lanes behind the last query repeat it.
  for (int i = 0; p.alibi && i < kPanel; ++i)
    slopes[i] = rows[std::min(i, count - 1)].slope * kLog2e;
  for (int i = 0; p.sinks && i < kPanel; ++i) sinks[i] = rows[std::min(i, count - 1)].sink * kLog2e;
}

void QueryPanel::makeRoom(const AttendProblem& p, Scratch& scratch) {
  packed = scratch.floats(int64_t{p.depth} * kPanel);
  acc = scratch.floats(int64_t{p.valueDepth} * kPanel);
  shift = scratch.floats(kPanel);
  sums = scratch.floats(kPanel);
}

void QueryPanel::prepare(const AttendProblem& p) {
  open = true;
  packQueries(p, rows, queries, packed);
  clear(shift, kPanel);
  clear(sums, kPanel);
  if (!p.resume) return;
  begun = true;
  const float* from[kPanel];
  for (int i = 0; i < queries; ++i) {
    from[i] = rows[i].out;
    shift[i] = rows[i].state[0];
    sums[i] = rows[i].state[1];
  }
  pack().panel(from, p.outInner, queries, p.valueDepth, 1.0f, acc);
  for (int c = 0; c < p.valueDepth; ++c)
    for (int i = 0; i < kPanel; ++i) acc[c * kPanel + i] *= sums[i];
}

void QueryPanel::bounds(int segment, int64_t at, int64_t stop, const Interval& hole, float* begin,
                        float* end) const {
  const auto least = static_cast<double>(at), most = static_cast<double>(stop);
  const auto from = static_cast<double>(hole.begin), left = static_cast<double>(hole.end) - from;
  const auto place = [&](double key) {
    const double within = std::min(std::max(key, least), most);
    const double skipped = std::min(std::max(within - from, 0.0), left);
    return static_cast<float>(within - skipped - least);
  };
  for (int i = 0; i < kPanel; ++i) {
    begin[i] = place(sights[segment].begin[i]);
    end[i] = place(sights[segment].end[i]);
  }
}

void QueryPanel::attend(const AttendProblem& p, AttendBlock& block) {
  block.queries = queries;
  block.panel = packed;
  block.shift = shift;
  block.sums = sums;
  block.acc = acc;
  // With bounds or with care not every sum is written as a whole: they must be there, 0.
  block.fresh = !begun && !block.begin && !block.careful;
  if (!begun && !block.fresh) clear(acc, int64_t{p.valueDepth} * kPanel);
  begun = true;
  attendTile().attend(block);
}

void QueryPanel::finish(const AttendProblem& p) {
  if (finished) return;
  finished = true;
  if (!open) prepare(p);
  if (!begun) clear(acc, int64_t{p.valueDepth} * kPanel);
  float* out[kPanel];
  float lse[kPanel];
  for (int i = 0; i < queries; ++i) out[i] = rows[i].out;
  const bool wanted = rows[0].lse != nullptr;
  attendPanel().finish(acc, shift, sums, sinks, queries, p.valueDepth, out, p.outInner,
                       wanted ? lse : nullptr);
  for (int i = 0; wanted && i < queries; ++i) *rows[i].lse = excess ? lse[i] - excess[i] : lse[i];
  for (int i = 0; rows[0].state && i < queries; ++i) {
    rows[i].state[0] = shift[i];
    rows[i].state[1] = sums[i];
  }
}

}  // namespace fovea
