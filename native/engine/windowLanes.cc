#include "engine/windowLanes.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "kernels/laneTile.h"

namespace fovea {

namespace {

constexpr float kLog2e = 1.44269504088896341f;
constexpr int64_t kLine = 16;
constexpr int64_t kAhead = 4;  // tokens asked for ahead

// Windows of one size: those inside the map, cut on the right, cut below, or cut at the corner.
struct WindowKind {
  int64_t top, left, down, across;  // the first, and how many; in windows

  int64_t count() const { return down * across; }
  int64_t number(int64_t n, const WindowGrid& grid) const {
    return (top + n / across) * grid.across() + left + n % across;
  }
};

// Windows of one kind, one a lane; a lane that has none repeats the last.
struct LaneWindows {
  WindowGrid::Window window[kMostLanes];
  int64_t first[kMostLanes];  // tokens of the windows
  WindowHead head[kMostLanes];
  int count;
};

// Token n of every lane's window.
template <class Pointer>
void rowsOf(const LaneWindows& l, TokenMap WindowHead::* map, int64_t n, int64_t mapWidth,
            Pointer* rows) {
  // Windows of one size: their tokens lie at the same distances from the first.
  const int64_t away = l.window[0].token(n, mapWidth) - l.first[0];
  for (int lane = 0; lane < l.count; ++lane) {
    const TokenMap& tokens = l.head[lane].*map;
    rows[lane] = tokens.data + (l.first[lane] + away) * tokens.stride;
  }
  std::fill(rows + l.count, rows + kMostLanes, rows[l.count - 1]);
}

// Asks for token n of every lane's window; to the processor the lanes are too many streams.
template <int kWrite>
void prefetch(const LaneWindows& l, TokenMap WindowHead::* map, int64_t n, int64_t mapWidth,
              int64_t depth) {
  if ((l.head[0].*map).inner != 1) return;
  const float* rows[kMostLanes];
  rowsOf(l, map, n, mapWidth, rows);
  for (int lane = 0; lane < l.count; ++lane)
    for (int64_t k = 0; k < depth; k += kLine) __builtin_prefetch(rows[lane] + k, kWrite, 2);
}

void attendTogether(const WindowProblem& p, const LaneWindows& l, Scratch& scratch) {
  const LaneTile& kernel = laneTile();
  const int64_t width = kernel.lanes, mapWidth = p.grid.width;
  const int64_t tokens = l.window[0].tokens();
  const double missing = p.missing ? p.grid.missing(l.window[0]) : 0;
  const int64_t listed = tokens + (missing > 0 ? 1 : 0);
  const int64_t keyFloats = p.depth * width, valueFloats = p.valueDepth * width;
  float* keys = scratch.floats(listed * keyFloats);
  float* values = scratch.floats(listed * valueFloats);
  const float* rows[kMostLanes];
  for (int64_t n = 0; n < tokens; ++n) {
    if (n + kAhead < tokens) {
      prefetch<0>(l, &WindowHead::key, n + kAhead, mapWidth, p.depth);
      prefetch<0>(l, &WindowHead::value, n + kAhead, mapWidth, p.valueDepth);
    }
    rowsOf(l, &WindowHead::key, n, mapWidth, rows);
    kernel.gather(rows, l.head[0].key.inner, p.depth, keys + n * keyFloats);
    rowsOf(l, &WindowHead::value, n, mapWidth, rows);
    kernel.gather(rows, l.head[0].value.inner, p.valueDepth, values + n * valueFloats);
  }
  auto** pointers = reinterpret_cast<const float**>(
      scratch.bytes(3 * listed * static_cast<int64_t>(sizeof(const float*))));
  const float **key = pointers, **value = key + listed, **addend = value + listed;
  for (int64_t n = 0; n < listed; ++n) {
    key[n] = keys + n * keyFloats;
    value[n] = values + n * valueFloats;
  }
  if (missing > 0) {
    // All positions beyond the map are one key, whose weight is multiplied by their number.
    float* none = scratch.floats(std::max(keyFloats, valueFloats));
    std::fill(none, none + std::max(keyFloats, valueFloats), 0.0f);
    const auto fill = [&](const float* WindowHead::* from, int64_t depth, float* to) {
      for (int lane = 0; lane < kMostLanes; ++lane) {
        const float* row = l.head[std::min(lane, l.count - 1)].*from;
        rows[lane] = row ? row : none;
      }
      kernel.gather(rows, 1, depth, to);
    };
    fill(&WindowHead::missingKey, p.depth, keys + tokens * keyFloats);
    fill(&WindowHead::missingValue, p.valueDepth, values + tokens * valueFloats);
    float* times = scratch.floats(width);
    std::fill(times, times + width, static_cast<float>(std::log2(missing)));
    std::fill(addend, addend + tokens, none);
    addend[tokens] = times;
  }

  float* queries = scratch.floats(kernel.wholeRows * keyFloats);
  float* results = scratch.floats(kernel.wholeRows * valueFloats);
  LaneBlock block;
  block.depth = static_cast<int>(p.depth);
  block.valueDepth = static_cast<int>(p.valueDepth);
  block.keys = static_cast<int>(listed);
  block.key = key;
  block.value = value;
  block.queryStep = block.keyStep = block.valueStep = block.outStep = width;
  block.scale = p.scale * kLog2e;
  block.scores = scratch.floats(kernel.wholeRows * listed * width);
  for (int64_t n = 0; n < tokens; n += kernel.wholeRows) {
    block.rows = static_cast<int>(std::min<int64_t>(kernel.wholeRows, tokens - n));
    for (int r = 0; r < block.rows; ++r) {
      float* query = queries + r * keyFloats;
      rowsOf(l, &WindowHead::query, n + r, mapWidth, rows);
      kernel.gather(rows, l.head[0].query.inner, p.depth, query);
      block.query[r] = query;
      block.out[r] = results + r * valueFloats;
      block.begin[r] = 0;
      block.end[r] = block.keys;
      block.addend[r] = missing > 0 ? addend : nullptr;
    }
    for (int64_t next = n + block.rows; next < std::min(n + block.rows + kernel.wholeRows, tokens);
         ++next) {
      prefetch<0>(l, &WindowHead::query, next, mapWidth, p.depth);
      prefetch<1>(l, &WindowHead::out, next, mapWidth, p.valueDepth);
    }
    kernel.attendWhole(block);
    for (int r = 0; r < block.rows; ++r) {
      float* out[kMostLanes];
      rowsOf(l, &WindowHead::out, n + r, mapWidth, out);
      kernel.scatter(block.out[r], p.valueDepth, l.count, out, l.head[0].out.inner);
    }
  }
}

}  // namespace

void attendWindowsInLanes(const Call& call, const WindowProblem& p) {
  const WindowGrid& grid = p.grid;
  const int64_t down = grid.height / grid.windowHeight, across = grid.width / grid.windowWidth;
  const int64_t cutDown = grid.down() - down, cutAcross = grid.across() - across;
  const WindowKind kinds[] = {{0, 0, down, across},
                              {0, across, down, cutAcross},
                              {down, 0, cutDown, across},
                              {down, across, cutDown, cutAcross}};
  const int64_t lanes = laneTile().lanes;
  int64_t vectors = 0;
  for (const WindowKind& kind : kinds) vectors += (kind.count() * p.heads + lanes - 1) / lanes;
  parallelFor(call, vectors, [&](int64_t task, Scratch& scratch) {
    const WindowKind* kind = kinds;
    for (; task >= (kind->count() * p.heads + lanes - 1) / lanes; ++kind)
      task -= (kind->count() * p.heads + lanes - 1) / lanes;
    LaneWindows l;
    l.count = static_cast<int>(std::min(lanes, kind->count() * p.heads - task * lanes));
    for (int lane = 0; lane < l.count; ++lane) {
      const int64_t n = task * lanes + lane;
      l.window[lane] = grid.window(kind->number(n % kind->count(), grid));
      l.first[lane] = l.window[lane].token(0, grid.width);
      l.head[lane] = p.headOf(n / kind->count());
    }
    attendTogether(p, l, scratch);
  });
}

}  // namespace fovea
