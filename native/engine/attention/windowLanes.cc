#include "engine/attention/windowLanes.h"

#include <algorithm>
#include <cmath>

#include "core/ceilDiv.h"
#include "core/numbers.h"
#include "core/parallel.h"
#include "engine/attention/gatherTokens.h"

namespace fovea {

namespace {

// Windows of one size: those inside the map, cut on the right, cut below, or cut at the corner.
struct WindowKind {
  int64_t top, left, down, across;  // the first, and how many; in windows

  int64_t count() const { return down * across; }
  int64_t number(int64_t n, const WindowGrid& grid) const {
    return (top + n / across) * grid.across() + left + n % across;
  }
};

// Windows of one kind, one a lane; lanes from `count` on have none. As all of them have one size,
// token n lies as far from the first one in every lane.
struct LaneWindows {
  WindowGrid::Window window[kMostLanes];
  WindowHead head[kMostLanes];
  int count;
  int64_t first[kMostLanes];      // tokens of the windows
  int64_t away[kMostLaneTokens];  // of tokens from the first one
};

// Their tokens of a map.
class LaneTokens {
 public:
  enum class Spare { kLast, kNone };  // what a lane without a window has

  LaneTokens(const LaneWindows& l, TokenMap WindowHead::* map, int64_t depth, Spare spare)
      : windows_(l), like_(l.head[0].*map), depth_(depth) {
    for (int lane = 0; lane < l.count; ++lane) {
      void* data = (l.head[lane].*map).data;
      first_[lane] =
          static_cast<float*>(elementAt(data, like_.dtype, l.first[lane] * like_.stride));
    }
    if (spare == Spare::kLast)
      std::fill(first_ + l.count, first_ + kMostLanes, first_[l.count - 1]);
  }

  // Token n of every lane as vectors. To the processor the lanes are too many streams, so some
  // tokens ahead are asked for meanwhile: asking for more, for 7 at once, or during the products
  // takes longer.
  void gather(int64_t n, float* to) const {
    if (n + kNear < windows_.window[0].tokens()) askFor(n + kNear);
    gatherTokens(first_, like_.dtype, offset(n), like_.inner, depth_, to, laneTile().lanes);
  }
  void scatter(int64_t n, const float* from) const {
    laneTile().scatter(from, laneTile().lanes, depth_, first_, offset(n), like_.inner);
  }
  // Lists the tokens of all windows, row by row.
  void foresee(TokenRow*& list) const {
    const int64_t width = byteSize(like_.dtype);
    if (like_.inner != 1) return;
    const WindowGrid::Window& window = windows_.window[0];
    for (int64_t n = 0; n < window.tokens(); n += window.width)
      for (int lane = 0; lane < laneTile().lanes && first_[lane]; ++lane)
        *list++ = {reinterpret_cast<const char*>(first_[lane]) + offset(n) * width,
                   like_.stride * width, window.width, depth_ * width};
  }

 private:
  static constexpr int64_t kNear = 2;

  void askFor(int64_t n) const {
    constexpr int64_t kLine = 64;
    if (like_.inner != 1) return;
    const int64_t bytes = depth_ * byteSize(like_.dtype), away = offset(n) * byteSize(like_.dtype);
    for (int lane = 0; lane < laneTile().lanes; ++lane)
      for (int64_t k = 0; k < bytes; k += kLine)
        __builtin_prefetch(reinterpret_cast<const char*>(first_[lane]) + away + k, 0, 3);
  }
  int64_t offset(int64_t n) const { return windows_.away[n] * like_.stride; }

  const LaneWindows& windows_;
  const TokenMap like_;
  const int64_t depth_;
  float* first_[kMostLanes] = {};
};

void attendTogether(const WindowProblem& p, const LaneWindows& l, Scratch& scratch) {
  const LaneTile& kernel = laneTile();
  const int64_t width = kernel.lanes;
  const int64_t tokens = l.window[0].tokens();
  const double missing = p.missing ? p.grid.missing(l.window[0]) : 0;
  const int64_t listed = tokens + (missing > 0 ? 1 : 0);
  const int64_t keyFloats = p.depth * width, valueFloats = p.valueDepth * width;
  using Spare = LaneTokens::Spare;
  const LaneTokens query(l, &WindowHead::query, p.depth, Spare::kLast);
  const LaneTokens key(l, &WindowHead::key, p.depth, Spare::kLast);
  const LaneTokens value(l, &WindowHead::value, p.valueDepth, Spare::kLast);
  const LaneTokens out(l, &WindowHead::out, p.valueDepth, Spare::kNone);
  float* keys = scratch.floats(listed * keyFloats);
  float* values = scratch.floats(listed * valueFloats);
  for (int64_t n = 0; n < tokens; ++n) {
    key.gather(n, keys + n * keyFloats);
    value.gather(n, values + n * valueFloats);
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
  out.foresee(end);
  const int64_t blocks = ceilDiv(tokens, kernel.rows);
  TokensAhead ahead(list, end, blocks * (listed + p.valueDepth) / kernel.together);
  block.ahead = &ahead;
  for (int64_t n = 0; n < tokens; n += kernel.rows) {
    block.rows = static_cast<int>(std::min<int64_t>(kernel.rows, tokens - n));
    for (int r = 0; r < block.rows; ++r) {
      query.gather(n + r, queries + r * keyFloats);
      block.query[r] = queries + r * keyFloats;
      block.out[r] = results + r * valueFloats;
    }
    kernel.attend(block);
    for (int r = 0; r < block.rows; ++r) out.scatter(n + r, block.out[r]);
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
    for (int64_t n = 0; n < l.window[0].tokens(); ++n)
      l.away[n] = l.window[0].token(n, grid.width) - l.first[0];
    attendTogether(p, l, scratch);
  });
}

}  // namespace fovea
