#include "engine/windowLanes.h"

#include <algorithm>
#include <cmath>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "engine/gatherTokens.h"

namespace fovea {

namespace {

constexpr float kLog2e = 1.44269504088896341f;
constexpr int64_t kNear = 4;  // tokens asked for ahead

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

// Token n of every lane's window, of whatever float type.
void rowsOf(const LaneWindows& l, TokenMap WindowHead::* map, int64_t n, int64_t mapWidth,
            float** rows) {
  // Windows of one size: their tokens lie at the same distances from the first.
  const int64_t away = l.window[0].token(n, mapWidth) - l.first[0];
  for (int lane = 0; lane < l.count; ++lane) {
    const TokenMap& tokens = l.head[lane].*map;
    const int64_t offset = (l.first[lane] + away) * tokens.stride;
    rows[lane] = static_cast<float*>(elementAt(tokens.data, tokens.dtype, offset));
  }
  std::fill(rows + l.count, rows + kMostLanes, rows[l.count - 1]);
}

// Asks for token n of every lane's window: to the processor the lanes are too many streams.
void prefetch(const LaneWindows& l, TokenMap WindowHead::* map, int64_t n, int64_t mapWidth,
              int64_t depth) {
  constexpr int64_t kLine = 64;
  const TokenMap& like = l.head[0].*map;
  if (like.inner != 1) return;
  float* rows[kMostLanes];
  rowsOf(l, map, n, mapWidth, rows);
  for (int lane = 0; lane < l.count; ++lane)
    for (int64_t k = 0; k < depth * byteSize(like.dtype); k += kLine)
      __builtin_prefetch(reinterpret_cast<const char*>(rows[lane]) + k, 0, 2);
}

// Lists where the results of all windows go, in the order in which they are made.
void foreseeResults(const LaneWindows& l, int64_t mapWidth, int64_t depth, TokenRow*& list) {
  constexpr int64_t kBytes = sizeof(float);
  const TokenMap& like = l.head[0].out;
  if (like.inner != 1) return;
  float* rows[kMostLanes];
  for (int64_t n = 0; n < l.window[0].tokens(); n += l.window[0].width) {
    rowsOf(l, &WindowHead::out, n, mapWidth, rows);
    for (int lane = 0; lane < l.count; ++lane)
      *list++ = {reinterpret_cast<const char*>(rows[lane]), l.head[lane].out.stride * kBytes,
                 l.window[0].width, depth * kBytes};
  }
}

// Lays out token n of every lane's window.
void gather(const LaneWindows& l, TokenMap WindowHead::* map, int64_t n, int64_t mapWidth,
            int64_t depth, float* to) {
  const TokenMap& like = l.head[0].*map;
  float* rows[kMostLanes];
  rowsOf(l, map, n, mapWidth, rows);
  gatherTokens(rows, like.dtype, 0, like.inner, depth, to, laneTile().lanes);
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
  for (int64_t n = 0; n < tokens; ++n) {
    if (n + kNear < tokens) {
      prefetch(l, &WindowHead::key, n + kNear, mapWidth, p.depth);
      prefetch(l, &WindowHead::value, n + kNear, mapWidth, p.valueDepth);
    }
    gather(l, &WindowHead::key, n, mapWidth, p.depth, keys + n * keyFloats);
    gather(l, &WindowHead::value, n, mapWidth, p.valueDepth, values + n * valueFloats);
  }
  float* addend = nullptr;
  if (missing > 0) {
    // All positions beyond the map are one key, whose weight is multiplied by their number.
    float* none = scratch.floats(std::max(keyFloats, valueFloats));
    std::fill(none, none + std::max(keyFloats, valueFloats), 0.0f);
    const auto fill = [&](const float* WindowHead::* from, int64_t depth, float* to) {
      const float* rows[kMostLanes];
      for (int lane = 0; lane < kMostLanes; ++lane) {
        const float* row = l.head[std::min(lane, l.count - 1)].*from;
        rows[lane] = row ? row : none;
      }
      kernel.gather(rows, 0, 1, depth, to, width);
    };
    fill(&WindowHead::missingKey, p.depth, keys + tokens * keyFloats);
    fill(&WindowHead::missingValue, p.valueDepth, values + tokens * valueFloats);
    addend = scratch.floats(listed * width);
    std::fill(addend, addend + tokens * width, 0.0f);
    std::fill(addend + tokens * width, addend + listed * width,
              static_cast<float>(std::log2(missing)));
  }

  float* queries = scratch.floats(kernel.rows * keyFloats);
  float* results = scratch.floats(kernel.rows * valueFloats);
  LaneBlock block;
  block.depth = static_cast<int>(p.depth);
  block.valueDepth = static_cast<int>(p.valueDepth);
  block.keys = static_cast<int>(listed);
  block.key = keys;
  block.value = values;
  block.addend = addend;
  block.scale = p.scale * kLog2e;
  block.scores = scratch.floats(kernel.rows * listed * width);
  auto* list = scratch.array<TokenRow>(l.window[0].height * kMostLanes);
  TokenRow* end = list;
  foreseeResults(l, mapWidth, p.valueDepth, end);
  const int64_t blocks = ceilDiv(tokens, kernel.rows);
  TokensAhead ahead(list, end, blocks * (listed + p.valueDepth) / kernel.together);
  block.ahead = &ahead;
  for (int64_t n = 0; n < tokens; n += kernel.rows) {
    block.rows = static_cast<int>(std::min<int64_t>(kernel.rows, tokens - n));
    for (int r = 0; r < block.rows; ++r) {
      float* query = queries + r * keyFloats;
      gather(l, &WindowHead::query, n + r, mapWidth, p.depth, query);
      block.query[r] = query;
      block.out[r] = results + r * valueFloats;
    }
    for (int64_t later = n + block.rows; later < std::min(n + block.rows + kernel.rows, tokens);
         ++later)
      prefetch(l, &WindowHead::query, later, mapWidth, p.depth);
    kernel.attend(block);
    for (int r = 0; r < block.rows; ++r) {
      float* out[kMostLanes];
      rowsOf(l, &WindowHead::out, n + r, mapWidth, out);
      std::fill(out + l.count, out + kMostLanes, nullptr);
      kernel.scatter(block.out[r], width, p.valueDepth, out, 0, l.head[0].out.inner);
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
  for (const WindowKind& kind : kinds) vectors += ceilDiv(kind.count() * p.heads, lanes);
  parallelFor(call, vectors, [&](int64_t task, Scratch& scratch) {
    const WindowKind* kind = kinds;
    for (; task >= ceilDiv(kind->count() * p.heads, lanes); ++kind)
      task -= ceilDiv(kind->count() * p.heads, lanes);
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
