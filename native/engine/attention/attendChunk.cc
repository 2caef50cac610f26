#include "engine/attention/attendChunk.h"

#include <algorithm>
#include <new>

#include "core/ceilDiv.h"
#include "kernels/attention/attendPanel.h"

namespace fovea {

namespace {

// Keys of a block times their width: values of 36 KB stay in a first-level cache. Fewer than
// kLeastBlock keys would load and store the sums too often.
constexpr int64_t kBlockFloats = int64_t{kBlockKeys} * 64;
constexpr int64_t kLeastBlock = 48;
// Panels of a chunk from which on values that lie apart are brought together.
constexpr int kGatherPanels = 2;

// Keys of a block: all blocks of a segment but the last are equal, and no last one is a crumb.
// `width` is that of a key or value, the wider of the two.
int64_t blockOf(int64_t keys, int64_t width) {
  const int64_t most = std::clamp<int64_t>(kBlockFloats / width, kLeastBlock, kBlockKeys);
  const int64_t blocks = std::max<int64_t>(1, ceilDiv(keys, most));
  return ceilDiv(ceilDiv(keys, blocks), kKeyUnit) * kKeyUnit;
}

}  // namespace

AttendChunk::AttendChunk(const AttendProblem* const* problems, int problemCount, int64_t first,
                         int64_t count, Scratch& scratch)
    : problems_(problems),
      p_(*problems[0]),
      scratch_(scratch),
      problemCount_(problemCount),
      count_(static_cast<int>(count)),
      panels_(scratch.array<QueryPanel>(problemCount * count)),
      scores_(scratch.floats(int64_t{kBlockKeys} * kPanel)),
      terms_(p_),
      ahead_(scratch) {
  if (problemCount > 1) lanes_ = scratch.bytes(count * attendTile().addendBytes);
  for (int i = 0; i < problemCount; ++i) {
    for (int t = 0; t < count_; ++t) {
      const int64_t begin = panelBegin(p_.rows, first + t),
                    end = panelBegin(p_.rows, first + t + 1);
      QueryPanel& panel = *new (&panelOf(i, t)) QueryPanel;
      panel.describe(*problems[i], begin, static_cast<int>(end - begin), scratch);
      panel.alone = LoneWalk::takes(*problems[i], panel);
      if (!panel.alone) panel.makeRoom(p_, scratch);
    }
  }
}

void AttendChunk::attend() {
  for (int i = 0; i < problemCount_; ++i)
    LoneWalk(*problems_[i], &panelOf(i, 0), count_, scores_, scratch_).attend();
  for (int segment = 0; segment < p_.segmentCount; ++segment) walk(segment);
  for (int i = 0; i < problemCount_ * count_; ++i) panels_[i].finish(p_);
}

// What comes after this visit: the values of the first block, the next panel's queries where they
// are not packed yet, a share of the keys and values that come next, and, in the panel's last
// block, the rows that its results go to.
void AttendChunk::lookAhead(int i, int t, int segment, int64_t at, int64_t stop, int64_t next) {
  QueryPanel& panel = panelOf(i, t);
  ahead_.clear();
  if (cold_) ahead_.keys(problems_[i]->segments[segment].value, at, stop);
  cold_ = false;
  const QueryPanel* after = &panel + 1;
  if (after < panels_ + problemCount_ * count_ && !after->open && p_.queryInner == 1)
    ahead_.queries(*after);
  if (segment == 0 && i == 0) {
    const bool more = t + 1 < count_;
    const int64_t from = more ? at : stop;
    ahead_.addends(p_, panels_[more ? t + 1 : 0], from, more ? stop : stop + next);
  }
  const bool last = i + 1 == problemCount_;  // its turn ends the block
  const KeySegment& source = problems_[last ? 0 : i + 1]->segments[segment];
  const int64_t from = last ? stop : at, keys = last ? next : stop - at;
  const int64_t begin = from + keys * visit_ / visits_, end = from + keys * (visit_ + 1) / visits_;
  ahead_.keys(source.key, begin, end);
  ahead_.keys(source.value, begin, end);
  if (endsIn(panel, segment, stop) && p_.outInner == 1) ahead_.results(panel);
}

void AttendChunk::visit(QueryPanel& panel, int segment, int64_t at, uint8_t* lanes, bool brought,
                        KeyBlock& values, AttendBlock& block) {
  alignas(64) float begin[kPanel], end[kPanel];
  const int64_t stop = at + block.keys;
  const QueryPanel::Sight& sight = panel.sights[segment];
  if (!panel.open) panel.prepare(p_);
  block.begin = block.end = nullptr;
  if (!sight.everything(at, stop)) {
    panel.bounds(segment, at, stop, {}, begin, end);
    block.begin = begin;
    block.end = end;
  }
  terms_.give(panel, segment, at, lanes, brought, block);
  const bool hides = block.begin || block.addend;
  if (hides && clean_ < 0) clean_ = attendPanel().finite(values.rows(), block.keys, p_.valueDepth);
  block.careful = hides && clean_ == 0;
  panel.attend(p_, block);
}

void AttendChunk::meet(int problem, int segment, int64_t at, int64_t stop, int64_t next) {
  const Scratch::Scope scope(scratch_);
  const KeySegment& source = problems_[problem]->segments[segment];
  // Rows far apart (the heads of a fused projection) share few sets of a cache and few pages. Eight
  // keys at a time still fit; columns of all values do not: with this many panels to read them,
  // bringing them together costs less.
  KeyBlock keys(source.key, p_.depth, kBlockKeys, scratch_);
  KeyBlock values(source.value, p_.valueDepth, kBlockKeys, scratch_, count_ >= kGatherPanels);
  AttendBlock block;
  block.depth = p_.depth;
  block.valueDepth = p_.valueDepth;
  block.scores = scores_;
  block.keyRows = keys.rows();
  block.valueRows = values.rows();
  block.keys = static_cast<int>(stop - at);
  keys.seek(at, block.keys);
  values.seek(at, block.keys);
  clean_ = -1;
  visit_ = visits_ = 0;
  for (int t = 0; t < count_; ++t) visits_ += panelOf(problem, t).meets(segment, at, stop);
  for (int t = 0; t < count_; ++t) {
    QueryPanel& panel = panelOf(problem, t);
    if (panel.meets(segment, at, stop)) {
      lookAhead(problem, t, segment, at, stop, next);
      ahead_.give(p_, block);
      uint8_t* lanes = lanes_ ? lanes_ + t * attendTile().addendBytes : nullptr;
      visit(panel, segment, at, lanes, problem > 0, values, block);
      ++visit_;
    }
    if (endsIn(panel, segment, stop)) panel.finish(p_);
  }
}

void AttendChunk::walk(int segment) {
  int64_t begin = INT64_MAX, end = 0;
  for (int t = 0; t < problemCount_ * count_; ++t) {
    if (panels_[t].finished) continue;
    begin = std::min(begin, panels_[t].sights[segment].anyBegin);
    end = std::max(end, panels_[t].sights[segment].anyEnd);
  }
  if (begin >= end) return;
  const int64_t keys = p_.segments[segment].keys;
  const int64_t size = blockOf(keys, std::max({p_.depth, p_.valueDepth, 1}));
  for (int64_t at = begin / size * size; at < end; at += size) {
    const int64_t stop = std::min(at + size, keys);
    const int64_t next = std::max<int64_t>(std::min(stop + size, end) - stop, 0);
    for (int i = 0; i < problemCount_; ++i) meet(i, segment, at, stop, next);
  }
}

}  // namespace fovea
