#include "engine/attention/loneWalk.h"

#include <algorithm>
#include <new>

#include "core/ceilDiv.h"
#include "kernels/attention/attendPanel.h"

namespace fovea {

namespace {

// Keys times D + Dv: 256 KB of a second-level cache, where the next panel finds them.
constexpr int64_t kLoneFloats = 64 * 1024;
// Fewer keys that every query sees are no block of their own.
constexpr int64_t kLeastWhole = 16;

int64_t keysOf(const QueryPanel::Sight& sight) {
  return std::max<int64_t>(sight.anyEnd - sight.anyBegin, 0);
}

// The keys that every query sees, in whole register tiles from the panel's first one on; empty
// where they are few, or where the others would be more than a block.
Interval wholeOf(const QueryPanel::Sight& sight) {
  const int64_t at = sight.anyBegin, stop = sight.anyEnd;
  const int64_t skipped = ceilDiv(std::max<int64_t>(sight.everyBegin - at, 0), kKeyUnit);
  const int64_t begin = at + skipped * kKeyUnit;
  int64_t end = std::min(sight.everyEnd, stop);
  if (end < stop) end -= std::max<int64_t>(end - begin, 0) % kKeyUnit;
  const int64_t edges = keysOf(sight) - (end - begin);
  return edges == 0 || (end - begin >= kLeastWhole && edges <= kBlockKeys) ? Interval{begin, end}
                                                                           : Interval{at, at};
}

// Rows of a block: all of a list are equal but the last.
int sizeOf(int64_t keys) {
  const int64_t blocks = std::max<int64_t>(1, ceilDiv(keys, kBlockKeys));
  return static_cast<int>(ceilDiv(ceilDiv(keys, blocks), kKeyUnit)) * kKeyUnit;
}

}  // namespace

bool LoneWalk::takes(const AttendProblem& p, const QueryPanel& panel) {
  if (p.bias || p.mask || p.alibi || p.softcap > 0) return false;
  int64_t keys = 0;
  bool edges = false;
  for (int s = 0; s < p.segmentCount; ++s) {
    const QueryPanel::Sight& sight = panel.sights[s];
    keys += keysOf(sight);
    edges = edges || (keysOf(sight) > 0 && !sight.everything(sight.anyBegin, sight.anyEnd));
  }
  return edges && keys * (p.depth + p.valueDepth) <= kLoneFloats;
}

LoneWalk::LoneWalk(const AttendProblem& problem, QueryPanel* panels, int count, float* scores,
                   Scratch& scratch)
    : p_(problem),
      panels_(panels),
      count_(count),
      scratch_(scratch),
      sources_(scratch.array<Source>(problem.segmentCount)),
      ahead_(scratch) {
  block_.depth = p_.depth;
  block_.valueDepth = p_.valueDepth;
  block_.scores = scores;
  for (int s = 0; s < p_.segmentCount; ++s) {
    int most = 0;
    for (int t = 0; t < count; ++t)
      if (panels[t].alone) most = std::max(most, static_cast<int>(keysOf(panels[t].sights[s])));
    const KeySegment& from = p_.segments[s];
    new (&sources_[s]) Source{
        {from.key, p_.depth, most, scratch}, {from.value, p_.valueDepth, most, scratch, true}, {}};
  }
}

void LoneWalk::attend() {
  for (int t = 0; t < count_; ++t) {
    QueryPanel& panel = panels_[t];
    if (!panel.alone) continue;
    const Scratch::Scope scope(scratch_);
    panel.makeRoom(p_, scratch_);
    panel.prepare(p_);
    lookAhead(panel, t + 1 < count_ && panels_[t + 1].alone ? &panels_[t + 1] : nullptr);
    for (int segment = 0; segment < p_.segmentCount; ++segment) walk(panel, segment);
    panel.finish(p_);
  }
}

// The next panel's queries and what it sees beyond this one's keys; the rows of the results.
void LoneWalk::lookAhead(const QueryPanel& panel, const QueryPanel* next) {
  ahead_.clear();
  if (next && p_.queryInner == 1) ahead_.queries(*next);
  met_ = all_ = 0;
  for (int s = 0; s < p_.segmentCount; ++s) {
    const QueryPanel::Sight& sight = panel.sights[s];
    all_ += keysOf(sight);
    if (!next) continue;
    const int64_t begin = std::max(sight.anyEnd, next->sights[s].anyBegin);
    ahead_.keys(p_.segments[s].key, begin, next->sights[s].anyEnd);
    ahead_.keys(p_.segments[s].value, begin, next->sights[s].anyEnd);
  }
  if (p_.outInner == 1) ahead_.results(panel);
}

void LoneWalk::walk(QueryPanel& panel, int segment) {
  const QueryPanel::Sight& sight = panel.sights[segment];
  const int64_t at = sight.anyBegin, stop = sight.anyEnd;
  if (at >= stop) return;
  const Interval whole = wholeOf(sight);
  const int inside = static_cast<int>(whole.end - whole.begin);
  const int before = static_cast<int>(whole.begin - at);
  const int edges = static_cast<int>(stop - at) - inside;
  Source& source = sources_[segment];
  for (KeyBlock* rows : {&source.keys, &source.values}) {
    rows->hold(at, stop);
    rows->list(whole.begin, inside, 0);
    rows->list(at, before, inside);
    rows->list(whole.end, edges - before, inside + before);
  }
  int size = sizeOf(inside);
  for (int row = 0; row < inside; row += size)
    meet(panel, source, row, std::min(size, inside - row));
  size = sizeOf(edges);
  for (int row = 0; row < edges; row += size) {
    const int64_t from = at + row, to = row + size < edges ? from + size : stop;
    alignas(64) float begin[kPanel], end[kPanel];
    panel.bounds(segment, from, to, whole, begin, end);
    block_.begin = begin;
    block_.end = end;
    block_.careful = !finite(source, std::max(from, whole.end), to, inside + row + before) ||
                     !finite(source, from, std::min(to, whole.begin), inside + row);
    meet(panel, source, inside + row, std::min(size, edges - row));
  }
  block_.begin = block_.end = nullptr;
  block_.careful = false;
}

void LoneWalk::meet(QueryPanel& panel, const Source& source, int row, int count) {
  block_.keys = count;
  block_.keyRows = source.keys.rows() + row;
  block_.valueRows = source.values.rows() + row;
  ahead_.give(p_, block_, met_, met_ + count, all_);
  met_ += count;
  panel.attend(p_, block_);
}

// Whether the values of keys [begin, end), listed from `row` on, are. Panels come in the order of
// their keys: what was behind one's is before another's.
bool LoneWalk::finite(Source& source, int64_t begin, int64_t end, int row) const {
  Interval& known = source.finite;
  if (begin >= end || (known.begin <= begin && end <= known.end)) return true;
  const int count = static_cast<int>(end - begin);
  if (!attendPanel().finite(source.values.rows() + row, count, p_.valueDepth)) return false;
  if (begin >= known.begin) known = {begin <= known.end ? known.begin : begin, end};
  return true;
}

}  // namespace fovea
