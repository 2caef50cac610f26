#include "engine/attend.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "engine/decode.h"
#include "engine/keyBlock.h"
#include "engine/queryPanel.h"
#include "kernels/attendPanel.h"
#include "kernels/attendTile.h"

namespace fovea {

namespace {

constexpr float kLog2e = 1.44269504088896341f;
// Rows of a chunk times D + Dv: half a megabyte of state, which leaves room for two blocks of keys
// and values in a second-level cache of a megabyte.
constexpr int64_t kChunkFloats = 128 * 1024;
// Keys of a block times their width: values of 36 KB stay in a first-level cache. Fewer than
// kLeastBlock keys would load and store the sums too often.
constexpr int64_t kBlockFloats = int64_t{kBlockKeys} * 64;
constexpr int64_t kLeastBlock = 48;
// Panels of a chunk from which on values that lie apart are brought together.
constexpr int kGatherPanels = 2;
// Where problems share addends: panels of each of them at least, and problems of a chunk at most.
constexpr int64_t kTogetherPanels = 5;
constexpr int64_t kMostTogether = 8;
constexpr int64_t kMostSharing = 16;  // panels whose addends are kept, 28 KB each
// Chunks that every thread should find at least, so that the last ones end together. More would be
// of few panels where 512 queries share their keys.
constexpr int64_t kChunksAThread = 10;
// Problems of few queries from which on every thread takes whole ones, and no part of their keys.
constexpr int64_t kProblemsAThread = 4;

// The terms of a score that the problem has, for one panel at one block.
class Terms {
 public:
  explicit Terms(const AttendProblem& p) : problem_(p) {
    terms_.softcap = p.softcap * kLog2e;
    addend_.hasBias = p.bias;
    addend_.hasMask = p.mask;
    addend_.biasStride = p.biasStride;
    addend_.maskStride = p.maskStride;
  }
  // Bias, mask and ALiBi are those of the first segment. `lanes` and `brought`: see AttendAddend.
  void give(const QueryPanel& panel, int segment, int64_t first, uint8_t* lanes, bool brought,
            AttendBlock& block) {
    const bool alibi = problem_.alibi && segment == 0;
    block.terms = alibi || problem_.softcap > 0 ? &terms_ : nullptr;
    terms_.slopes = alibi ? panel.slopes : nullptr;
    terms_.positions = positions_;
    for (int i = 0; alibi && i < kPanel; ++i)
      positions_[i] = static_cast<float>(rowOf(panel, i).position - first);
    const bool addend = (problem_.bias || problem_.mask) && segment == 0;
    block.addend = addend ? &addend_ : nullptr;
    if (!addend) return;
    addend_.shared = panel.sharesAddend;
    addend_.lanes = lanes;
    addend_.brought = brought;
    for (int i = 0; i < kPanel && !brought; ++i) {
      if (problem_.bias) addend_.bias[i] = rowOf(panel, i).bias + first * problem_.biasStride;
      if (problem_.mask) addend_.mask[i] = rowOf(panel, i).mask + first * problem_.maskStride;
    }
  }

 private:
  static const QueryRow& rowOf(const QueryPanel& panel, int i) {
    return panel.rows[std::min(i, panel.queries - 1)];
  }

  const AttendProblem& problem_;
  alignas(64) float positions_[kPanel] = {};
  ScoreTerms terms_;
  AttendAddend addend_;
};

// Rows of memory that a visit asks for while it computes, because the next ones need them.
class Ahead {
 public:
  explicit Ahead(Scratch& scratch) : rows_(scratch.array<const float*>(kMost)) {}
  void clear() { count_ = 0; }
  void queries(const QueryPanel& panel) {
    for (int i = 0; i < panel.queries; ++i) add(panel.rows[i].query);
  }
  void results(const QueryPanel& panel) {
    for (int i = 0; i < panel.queries; ++i) add(panel.rows[i].out);
  }
  void keys(const KeyRows& keys, int64_t begin, int64_t end) {
    const int count = static_cast<int>(std::clamp<int64_t>(end - begin, 0, kMost - count_));
    keys.list(begin, count, rows_ + count_);
    count_ += count;
  }
  // The biases and masks of keys [begin, end), where queries have their own.
  void addends(const AttendProblem& p, const QueryPanel& panel, int64_t begin, int64_t end) {
    const int64_t floats = std::max(p.depth, p.valueDepth);
    const QueryRow *first = panel.rows, *last = first + panel.queries - 1;
    if (panel.sharesAddend) return;
    if (p.bias && p.biasStride == 1)
      for (const QueryRow* row = first; row <= last; ++row)
        for (int64_t j = begin; j < end; j += floats) add(row->bias + j);
    if (p.mask && p.maskStride == 1)
      for (const QueryRow* row = first; row <= last; ++row)
        for (int64_t j = begin; j < end; j += 4 * floats) add(row->mask + j);
  }
  void give(const AttendProblem& p, AttendBlock& block) const {
    block.ahead = rows_;
    block.aheadRows = count_;
    block.aheadFloats = std::max(p.depth, p.valueDepth);
  }

 private:
  static constexpr int kMost = 1024;  // whatever is behind them comes when it is needed
  void add(const void* row) {
    if (count_ < kMost) rows_[count_++] = static_cast<const float*>(row);
  }

  const float** rows_;
  int count_ = 0;
};

// Keys of a block: all blocks of a segment but the last are equal, and no last one is a crumb.
// `width` is that of a key or value, the wider of the two.
int64_t blockOf(int64_t keys, int64_t width) {
  const int64_t most = std::clamp<int64_t>(kBlockFloats / width, kLeastBlock, kBlockKeys);
  const int64_t blocks = std::max<int64_t>(1, ceilDiv(keys, most));
  return ceilDiv(ceilDiv(keys, blocks), kKeyUnit) * kKeyUnit;
}

// The panels of a chunk and their walk over the keys. Problems that are alike walk together: a bias
// or mask is brought into the lanes once for all of them.
class Chunk {
 public:
  // Panels [first, first + count) of each problem.
  Chunk(const AttendProblem* const* problems, int problemCount, int64_t first, int64_t count,
        Scratch& scratch);
  void attend();

 private:
  void walk(int segment);
  // All panels of a problem at the keys [at, stop), which `next` more come after.
  void meet(int problem, int segment, int64_t at, int64_t stop, int64_t next);
  void visit(QueryPanel& panel, int segment, int64_t at, uint8_t* lanes, bool brought,
             KeyBlock& values, AttendBlock& block);
  void lookAhead(int problem, int panel, int segment, int64_t at, int64_t stop, int64_t next);
  QueryPanel& panelOf(int problem, int panel) { return panels_[problem * count_ + panel]; }
  // Whether a panel sees no key from `stop` of a segment on.
  bool endsIn(const QueryPanel& panel, int segment, int64_t stop) const {
    return segment + 1 == p_.segmentCount && panel.sights[segment].anyEnd <= stop;
  }

  const AttendProblem* const* problems_;
  const AttendProblem& p_;  // any of them, for what they have in common
  Scratch& scratch_;
  const int problemCount_, count_;
  QueryPanel* panels_;
  float* scores_;
  uint8_t* lanes_ = nullptr;  // addends of count_ panels, where problems share them
  Terms terms_;
  Ahead ahead_;
  bool cold_ = true;            // nobody has asked for the values of this block
  int visit_ = 0, visits_ = 0;  // of panels that see this block: which comes, and how many
  int clean_ = -1;              // whether the block's values are finite: -1 not known yet
};

Chunk::Chunk(const AttendProblem* const* problems, int problemCount, int64_t first, int64_t count,
             Scratch& scratch)
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
      (new (&panelOf(i, t)) QueryPanel)
          ->describe(*problems[i], begin, static_cast<int>(end - begin), scratch);
    }
  }
}

void Chunk::attend() {
  for (int segment = 0; segment < p_.segmentCount; ++segment) walk(segment);
  for (int i = 0; i < problemCount_ * count_; ++i) panels_[i].finish(p_);
}

// What comes after this visit: the values of the first block, the next panel's queries where they
// are not packed yet, a share of the keys and values that come next, and, in the panel's last
// block, the rows that its results go to.
void Chunk::lookAhead(int i, int t, int segment, int64_t at, int64_t stop, int64_t next) {
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

void Chunk::visit(QueryPanel& panel, int segment, int64_t at, uint8_t* lanes, bool brought,
                  KeyBlock& values, AttendBlock& block) {
  alignas(64) float begin[kPanel], end[kPanel];
  const int64_t stop = at + block.keys;
  const QueryPanel::Sight& sight = panel.sights[segment];
  if (!panel.open) panel.prepare(p_);
  block.queries = panel.queries;
  block.panel = panel.packed;
  block.shift = panel.shift;
  block.sums = panel.sums;
  block.acc = panel.acc;
  block.begin = block.end = nullptr;
  if (sight.everyBegin > at || sight.everyEnd < stop) {
    panel.bounds(segment, at, stop, begin, end);
    block.begin = begin;
    block.end = end;
  }
  terms_.give(panel, segment, at, lanes, brought, block);
  const bool hides = block.begin || block.addend;
  if (hides && clean_ < 0) clean_ = attendPanel().finite(values.rows(), block.keys, p_.valueDepth);
  block.careful = hides && clean_ == 0;
  // With bounds or with care not every sum is written as a whole: they must be there, 0.
  block.fresh = !panel.begun && !block.begin && !block.careful;
  if (!panel.begun && !block.fresh)
    std::memset(panel.acc, 0, sizeof(float) * static_cast<size_t>(p_.valueDepth) * kPanel);
  panel.begun = true;
  attendTile().attend(block);
}

void Chunk::meet(int problem, int segment, int64_t at, int64_t stop, int64_t next) {
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
  for (int t = 0; t < count_; ++t) visits_ += panelOf(problem, t).sights[segment].meets(at, stop);
  for (int t = 0; t < count_; ++t) {
    QueryPanel& panel = panelOf(problem, t);
    if (panel.sights[segment].meets(at, stop)) {
      lookAhead(problem, t, segment, at, stop, next);
      ahead_.give(p_, block);
      uint8_t* lanes = lanes_ ? lanes_ + t * attendTile().addendBytes : nullptr;
      visit(panel, segment, at, lanes, problem > 0, values, block);
      ++visit_;
    }
    if (endsIn(panel, segment, stop)) panel.finish(p_);
  }
}

void Chunk::walk(int segment) {
  int64_t begin = INT64_MAX, end = 0;
  for (int t = 0; t < problemCount_ * count_; ++t) {
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

// Builds `count` problems from `index` on and does the work while all of them live.
void withProblems(FunctionRef<AttendBody> body, int64_t index, int64_t count,
                  const AttendProblem** made, FunctionRef<void()> work) {
  if (count == 0) return work();
  body(index, [&](const AttendProblem& problem) {
    *made = &problem;
    withProblems(body, index + 1, count - 1, made + 1, work);
  });
}

// Problems of more than `few` rows.
void attendTiles(const Call& call, const AttendExtent& x, int64_t few,
                 FunctionRef<AttendBody> body) {
  const int64_t width = std::max<int64_t>(1, x.depth + x.valueDepth);
  int64_t panels = std::max<int64_t>(1, kChunkFloats / width / kPanel);
  const int64_t all = ceilDiv(x.rows, kPanel);
  if (call.threads > 1) {
    const int64_t share = x.problems * all / (kChunksAThread * call.threads);
    panels = std::clamp<int64_t>(share, 1, panels);
  }
  const int64_t most = std::clamp<int64_t>(panels / std::min(all, kTogetherPanels), 1,
                                           std::min<int64_t>(x.alike, kMostTogether));
  const int64_t teams = ceilDiv(x.alike, most);
  const int64_t together = ceilDiv(x.alike, teams);
  if (together > 1) panels = std::clamp<int64_t>(panels / together, 1, kMostSharing);
  // Chunks of equal size rather than a short last one.
  const int64_t chunks = ceilDiv(all, panels);
  panels = ceilDiv(all, chunks);
  parallelFor(call, x.problems / x.alike * teams * chunks, [&](int64_t task, Scratch& scratch) {
    // Last rows first: under a causal mask they see the most keys.
    const int64_t first = (chunks - 1 - task % chunks) * panels;
    const int64_t begin = task / chunks % teams * together;
    const int64_t end = std::min(begin + together, x.alike);
    const AttendProblem* problems[kMostTogether] = {};
    withProblems(body, task / chunks / teams * x.alike + begin, end - begin, problems, [&] {
      // A problem may have fewer rows than the largest.
      const int64_t count = std::min(panels, ceilDiv(problems[0]->rows, kPanel) - first);
      if (count <= 0 || problems[0]->rows <= few) return;
      const Scratch::Scope scope(scratch);
      Chunk(problems, static_cast<int>(end - begin), first, count, scratch).attend();
    });
  });
}

void attendFew(const Call& call, const AttendExtent& x, FunctionRef<AttendBody> body) {
  const auto partsOf = [](int64_t keys) {
    return std::max<int64_t>(1, ceilDiv(keys, kDecodePart));
  };
  const int64_t parts = partsOf(x.keys), partFloats = decodeStateFloats(x.valueDepth);
  const int64_t rowStride = parts * partFloats;
  const int64_t stateFloats = std::min<int64_t>(x.rows, kDecodeRows) * rowStride;
  // Does nothing for a problem that is not of few rows: panels have it.
  const auto attendParts = [&](int64_t problem, Interval wanted, bool join, float* state,
                               Scratch& scratch) {
    body(problem, [&](const AttendProblem& p) {
      if (p.rows <= 0 || p.rows > kDecodeRows) return;
      const int64_t own = partsOf(p.segments[0].keys);
      for (int64_t part = wanted.begin; part < std::min(wanted.end, own); ++part)
        decodePart(p, part, state + part * partFloats, rowStride, scratch);
      if (join) decodeJoin(p, own, state, rowStride, scratch);
    });
  };
  if (parts == 1 || x.problems >= kProblemsAThread * call.threads) {
    parallelFor(call, x.problems, [&](int64_t problem, Scratch& scratch) {
      attendParts(problem, {0, parts}, true, scratch.floats(stateFloats), scratch);
    });
    return;
  }
  Scratch& shared = Scratch::ofThread();
  const Scratch::Scope scope(shared);
  float* states = shared.floats(x.problems * stateFloats);
  parallelFor(call, x.problems * parts, [&](int64_t task, Scratch& scratch) {
    const int64_t problem = task / parts, part = task % parts;
    attendParts(problem, {part, part + 1}, false, states + problem * stateFloats, scratch);
  });
  parallelFor(call, x.problems, [&](int64_t problem, Scratch& scratch) {
    attendParts(problem, {0, 0}, true, states + problem * stateFloats, scratch);
  });
}

}  // namespace

void attendHere(const AttendProblem& problem, Scratch& scratch) {
  const Scratch::Scope scope(scratch);
  const AttendProblem* only = &problem;
  Chunk(&only, 1, 0, ceilDiv(problem.rows, kPanel), scratch).attend();
}

void attend(const Call& call, const AttendExtent& x, FunctionRef<AttendBody> body) {
  if (x.problems <= 0 || x.rows <= 0) return;
  const bool few = x.plain && std::min(x.leastRows, x.rows) <= kDecodeRows;
  if (few) attendFew(call, x, body);
  if (!few || x.rows > kDecodeRows) attendTiles(call, x, few ? kDecodeRows : 0, body);
}

}  // namespace fovea
