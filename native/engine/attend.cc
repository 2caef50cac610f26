#include "engine/attend.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/parallel.h"
#include "engine/decode.h"
#include "kernels/attendPanel.h"
#include "kernels/attendTile.h"

namespace fovea {

namespace {

constexpr float kLog2e = 1.44269504088896341f;
// Rows of a chunk times D + Dv: half a megabyte of state, which leaves room for two blocks of keys
// and values in a second-level cache of a megabyte.
constexpr int64_t kChunkFloats = 128 * 1024;
// Chunks that every thread should find at least, so that the last ones end together.
constexpr int64_t kChunksAThread = 4;

// What a panel of queries keeps from block to block.
struct Panel {
  int queries;
  float* packed;  // [D][48]
  float* acc;     // [Dv][48]
  float* shift;   // [48]
  float* sums;    // [48]
  float* slopes;  // [48] in units of log2
  float* sinks;   // [48] in units of log2
  // The interval of each query, and what is common to all: seen by any, seen by every one.
  int64_t begin[kPanel], end[kPanel];
  int64_t anyBegin, anyEnd, everyBegin, everyEnd;
  float excess[kPanel];  // see QueryRow::settle
  QueryRow rows[kPanel];
};

void open(const AttendProblem& p, Panel& panel, int64_t first, int queries, Scratch& scratch) {
  panel.queries = queries;
  panel.packed = scratch.floats(int64_t{p.depth} * kPanel);
  panel.acc = scratch.floats(int64_t{p.valueDepth} * kPanel);
  panel.shift = scratch.floats(kPanel);
  panel.sums = scratch.floats(kPanel);
  panel.slopes = scratch.floats(kPanel);
  panel.sinks = scratch.floats(kPanel);
  const float* queryRows[kPanel];
  for (int i = 0; i < queries; ++i) {
    p.describe(first + i, panel.rows[i]);
    panel.excess[i] = p.alibi ? panel.rows[i].settle(p.segments[0].keys) : 0.0f;
    queryRows[i] = panel.rows[i].query;
  }
  for (int i = 0; i < kPanel; ++i) {
    const QueryRow& row = panel.rows[std::min(i, queries - 1)];
    panel.slopes[i] = row.slope * kLog2e;
    panel.sinks[i] = row.sink * kLog2e;
  }
  pack().panel(queryRows, p.queryInner, queries, p.depth, panel.packed);
  const float by = p.scale * kLog2e;
  for (int64_t i = 0; i < int64_t{p.depth} * kPanel; ++i) panel.packed[i] *= by;
  if (p.resume) {
    const float* outRows[kPanel];
    for (int i = 0; i < queries; ++i) outRows[i] = panel.rows[i].out;
    pack().panel(outRows, p.outInner, queries, p.valueDepth, panel.acc);
    for (int i = 0; i < kPanel; ++i) {
      panel.shift[i] = i < queries ? panel.rows[i].state[0] : 0.0f;
      panel.sums[i] = i < queries ? panel.rows[i].state[1] : 0.0f;
    }
    for (int c = 0; c < p.valueDepth; ++c)
      for (int i = 0; i < kPanel; ++i) panel.acc[c * kPanel + i] *= panel.sums[i];
  } else {
    std::memset(panel.acc, 0, sizeof(float) * static_cast<size_t>(p.valueDepth) * kPanel);
    std::memset(panel.shift, 0, sizeof(float) * kPanel);
    std::memset(panel.sums, 0, sizeof(float) * kPanel);
  }
}

void look(Panel& panel, int segment) {
  panel.anyBegin = panel.everyBegin = INT64_MAX;
  panel.anyEnd = panel.everyEnd = 0;
  int64_t latestBegin = 0, earliestEnd = INT64_MAX;
  for (int i = 0; i < kPanel; ++i) {
    const Interval& seen = panel.rows[std::min(i, panel.queries - 1)].visible[segment];
    panel.begin[i] = seen.begin;
    panel.end[i] = seen.end;
    latestBegin = std::max(latestBegin, seen.begin);
    earliestEnd = std::min(earliestEnd, seen.end);
    if (seen.begin >= seen.end) continue;
    panel.anyBegin = std::min(panel.anyBegin, seen.begin);
    panel.anyEnd = std::max(panel.anyEnd, seen.end);
  }
  panel.everyBegin = latestBegin;
  panel.everyEnd = earliestEnd;
}

// The terms of a score that the problem has, for one panel at one block.
class Terms {
 public:
  Terms(const AttendProblem& p, Scratch& scratch)
      : problem_(p), any_(p.softcap > 0 || p.alibi || p.bias || p.mask) {
    if (p.bias || p.mask) addend_ = scratch.floats(int64_t{kBlockKeys} * kPanel);
    terms_.softcap = p.softcap * kLog2e;
  }
  const ScoreTerms* at(const Panel& panel, int segment, int64_t first, int keys) {
    if (!any_ || (segment > 0 && problem_.softcap == 0)) return nullptr;
    terms_.slopes = problem_.alibi && segment == 0 ? panel.slopes : nullptr;
    terms_.addend = nullptr;
    if (terms_.slopes) {
      for (int i = 0; i < kPanel; ++i)
        positions_[i] =
            static_cast<float>(panel.rows[std::min(i, panel.queries - 1)].position - first);
      terms_.positions = positions_;
    }
    if (addend_ && segment == 0) {
      const float* bias[kPanel];
      const uint8_t* mask[kPanel];
      for (int i = 0; i < panel.queries; ++i) {
        if (problem_.bias) bias[i] = panel.rows[i].bias + first * problem_.biasStride;
        if (problem_.mask) mask[i] = panel.rows[i].mask + first * problem_.maskStride;
      }
      attendPanel().packAddend(problem_.bias ? bias : nullptr, problem_.biasStride,
                               problem_.mask ? mask : nullptr, problem_.maskStride, panel.queries,
                               keys, addend_);
      terms_.addend = addend_;
    }
    return &terms_;
  }

 private:
  const AttendProblem& problem_;
  bool any_;
  float* addend_ = nullptr;
  float positions_[kPanel] = {};
  ScoreTerms terms_;
};

// Keys and values of the next block, a share of it with every panel of this one.
void prefetch(const KeySegment& segment, int64_t begin, int64_t end, const AttendProblem& p) {
  constexpr int kLine = 64 / sizeof(float);
  for (int64_t j = begin; j < end; ++j) {
    const float* key = segment.key.row(j);
    const float* value = segment.value.row(j);
    for (int k = 0; k < p.depth; k += kLine) __builtin_prefetch(key + k, 0, 2);
    for (int k = 0; k < p.valueDepth; k += kLine) __builtin_prefetch(value + k, 0, 2);
  }
}

void attendSegment(const AttendProblem& p, int segment, Panel* panels, int count, float* scores,
                   Terms& terms, Scratch& scratch, const AttendTile& tile) {
  int64_t begin = INT64_MAX, end = 0;
  for (int t = 0; t < count; ++t) {
    look(panels[t], segment);
    begin = std::min(begin, panels[t].anyBegin);
    end = std::max(end, panels[t].anyEnd);
  }
  if (begin >= end) return;
  const Scratch::Scope scope(scratch);
  KeyBlock keys(p.segments[segment].key, p.depth, kBlockKeys, scratch);
  KeyBlock values(p.segments[segment].value, p.valueDepth, kBlockKeys, scratch);
  alignas(64) float first[kPanel], last[kPanel];

  AttendBlock block;
  block.depth = p.depth;
  block.valueDepth = p.valueDepth;
  block.scores = scores;
  block.keyRows = keys.rows();
  block.valueRows = values.rows();
  for (int64_t at = begin / kBlockKeys * kBlockKeys; at < end; at += kBlockKeys) {
    const int64_t stop = std::min<int64_t>(at + kBlockKeys, p.segments[segment].keys);
    block.keys = static_cast<int>(stop - at);
    keys.seek(at, block.keys);
    values.seek(at, block.keys);
    int clean = -1;  // whether the block's values are finite: -1 not known yet
    const int64_t next = std::min<int64_t>(stop + kBlockKeys, end) - stop;
    for (int t = 0; t < count; ++t) {
      const Panel& panel = panels[t];
      prefetch(p.segments[segment], stop + next * t / count, stop + next * (t + 1) / count, p);
      if (panel.anyBegin >= stop || panel.anyEnd <= at) continue;
      block.queries = panel.queries;
      block.panel = panel.packed;
      block.shift = panel.shift;
      block.sums = panel.sums;
      block.acc = panel.acc;
      block.begin = block.end = nullptr;
      if (panel.everyBegin > at || panel.everyEnd < stop) {
        for (int i = 0; i < kPanel; ++i) {
          first[i] = static_cast<float>(std::clamp(panel.begin[i], at, stop) - at);
          last[i] = static_cast<float>(std::clamp(panel.end[i], at, stop) - at);
        }
        block.begin = first;
        block.end = last;
      }
      block.terms = terms.at(panel, segment, at, block.keys);
      const bool hides = block.begin || (block.terms && block.terms->addend);
      if (hides && clean < 0) clean = attendPanel().finite(values.rows(), block.keys, p.valueDepth);
      block.careful = hides && clean == 0;
      tile.attend(block);
    }
  }
}

}  // namespace

void attendRows(const AttendProblem& p, int64_t first, int64_t count, Scratch& scratch) {
  if (count <= 0) return;
  const AttendTile& tile = attendTile();
  const Scratch::Scope scope(scratch);
  const int panelCount = static_cast<int>((count + kPanel - 1) / kPanel);
  auto* panels =
      reinterpret_cast<Panel*>(scratch.bytes(panelCount * static_cast<int64_t>(sizeof(Panel))));
  for (int t = 0; t < panelCount; ++t) {
    new (&panels[t]) Panel;
    open(p, panels[t], first + t * kPanel,
         static_cast<int>(std::min<int64_t>(kPanel, count - t * kPanel)), scratch);
  }
  float* scores = scratch.floats(int64_t{kBlockKeys} * kPanel);
  Terms terms(p, scratch);
  for (int segment = 0; segment < p.segmentCount; ++segment)
    attendSegment(p, segment, panels, panelCount, scores, terms, scratch, tile);
  for (int t = 0; t < panelCount; ++t) {
    Panel& panel = panels[t];
    float* out[kPanel];
    float lse[kPanel];
    for (int i = 0; i < panel.queries; ++i) out[i] = panel.rows[i].out;
    const bool wanted = panel.rows[0].lse != nullptr;
    attendPanel().finish(panel.acc, panel.shift, panel.sums, p.sinks ? panel.sinks : nullptr,
                         panel.queries, p.valueDepth, out, p.outInner, wanted ? lse : nullptr);
    for (int i = 0; wanted && i < panel.queries; ++i) *panel.rows[i].lse = lse[i] - panel.excess[i];
    for (int i = 0; panel.rows[0].state && i < panel.queries; ++i) {
      panel.rows[i].state[0] = panel.shift[i];
      panel.rows[i].state[1] = panel.sums[i];
    }
  }
}

KeyBlock::KeyBlock(const KeyRows& source, int depth, int most, Scratch& scratch)
    : source_(source), depth_(depth) {
  rows_ = reinterpret_cast<const float**>(
      scratch.bytes(most * static_cast<int64_t>(sizeof(const float*))));
  if (source.inner != 1) copy_ = scratch.floats(int64_t{most} * depth);
}

void KeyBlock::seek(int64_t first, int count) {
  for (int j = 0; j < count; ++j) rows_[j] = source_.row(first + j);
  if (!copy_) return;
  for (int j = 0; j < count; ++j) {
    float* to = copy_ + int64_t{j} * depth_;
    for (int k = 0; k < depth_; ++k) to[k] = rows_[j][k * source_.inner];
    rows_[j] = to;
  }
}

namespace {

void attendTiles(const Call& call, const AttendExtent& x, FunctionRef<AttendBody> body) {
  const int64_t width = std::max<int64_t>(1, x.depth + x.valueDepth);
  int64_t panels = std::max<int64_t>(1, kChunkFloats / width / kPanel);
  const int64_t all = (x.rows + kPanel - 1) / kPanel;
  if (call.threads > 1) {
    const int64_t share = x.problems * all / (kChunksAThread * call.threads);
    panels = std::clamp<int64_t>(share, 1, panels);
  }
  // Chunks of equal size rather than a short last one.
  const int64_t chunks = (all + panels - 1) / panels;
  panels = (all + chunks - 1) / chunks;
  parallelFor(call, x.problems * chunks, [&](int64_t task, Scratch& scratch) {
    // Last rows first: under a causal mask they see the most keys.
    const int64_t first = (chunks - 1 - task % chunks) * panels * kPanel;
    body(task / chunks, [&](const AttendProblem& problem) {
      attendRows(problem, first, std::min(panels * kPanel, problem.rows - first), scratch);
    });
  });
}

void attendFew(const Call& call, const AttendExtent& x, FunctionRef<AttendBody> body) {
  const int64_t parts = std::max<int64_t>(1, (x.keys + kDecodePart - 1) / kDecodePart);
  const int64_t rowStride = parts * decodeStateFloats(x.valueDepth);
  if (parts == 1) {
    parallelFor(call, x.problems, [&](int64_t problem, Scratch& scratch) {
      float* state = scratch.floats(x.rows * rowStride);
      body(problem, [&](const AttendProblem& p) {
        decodePart(p, 0, state, rowStride, scratch);
        decodeJoin(p, 1, state, rowStride, scratch);
      });
    });
    return;
  }
  Scratch& shared = Scratch::ofThread();
  const Scratch::Scope scope(shared);
  float* states = shared.floats(x.problems * x.rows * rowStride);
  parallelFor(call, x.problems * parts, [&](int64_t task, Scratch& scratch) {
    const int64_t problem = task / parts, part = task % parts;
    float* state = states + problem * x.rows * rowStride;
    body(problem, [&](const AttendProblem& p) {
      decodePart(p, part, state + part * decodeStateFloats(x.valueDepth), rowStride, scratch);
    });
  });
  parallelFor(call, x.problems, [&](int64_t problem, Scratch& scratch) {
    float* state = states + problem * x.rows * rowStride;
    body(problem, [&](const AttendProblem& p) { decodeJoin(p, parts, state, rowStride, scratch); });
  });
}

}  // namespace

void attend(const Call& call, const AttendExtent& x, FunctionRef<AttendBody> body) {
  if (x.problems <= 0 || x.rows <= 0) return;
  if (x.plain && x.rows <= kDecodeRows)
    attendFew(call, x, body);
  else
    attendTiles(call, x, body);
}

}  // namespace fovea
