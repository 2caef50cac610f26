#include "engine/latticeLanes.h"

#include <algorithm>
#include <limits>
#include <new>

#include "core/parallel.h"
#include "engine/laneRows.h"
#include "kernels/neighborTile.h"

namespace fovea {

namespace {

constexpr float kLog2e = 1.44269504088896341f;
constexpr float kHidden = -std::numeric_limits<float>::infinity();
constexpr int64_t kTileColumns = 128;
constexpr int64_t kTileFloats = 96 * 1024;  // of keys and values: most of a second-level cache
constexpr int64_t kTasksPerThread = 4;

// Queries [y.begin, y.end) x [x.begin, x.end) of some heads at a step z, and what they see along
// each axis.
struct Tile {
  Interval heads;
  int64_t z;
  Interval y, x;
  Interval keyZ, keyY, keyX;

  Tile(const Lattice& lattice, Interval together, int64_t step, Interval rows, Interval columns)
      : heads(together), z(step), y(rows), x(columns) {
    keyZ = seen(lattice.axis[0], {z, z + 1});
    keyY = seen(lattice.axis[1], y);
    keyX = seen(lattice.axis[2], x);
  }
  // Neither end of a window moves back from a query to the next.
  static Interval seen(const NeighborhoodAxis& axis, Interval queries) {
    return {axis.visible(queries.begin, axis.length).begin,
            axis.visible(queries.end - 1, axis.length).end};
  }
};

// A vector of queries along a row, and their windows: key e of a lane's is the one `from` behind
// column base + e.
struct Lanes {
  int64_t first, count = 0;  // queries
  int64_t base;
  int64_t window = 0;  // keys that a query sees, at most
  bool shifted = true, hides = false;
  int32_t* from;           // [NeighborTile::keys][lanes]
  float* masks = nullptr;  // [window][lanes], 0 or -inf, where some see less

  Lanes(const NeighborhoodAxis& axis, int64_t begin, int64_t end, Scratch& scratch) : first(begin) {
    const NeighborTile& kernel = neighborTile();
    const auto seen = [&](int64_t x) { return axis.visible(x, axis.length); };
    base = seen(first).begin;
    // As many as two vectors of keys serve.
    while (count < kernel.lanes && first + count < end &&
           seen(first + count).begin - base <= kernel.reach)
      window = std::max(window, sizeOf(seen(first + count++)));
    // At a border, too, begin where vectors within do, so that rows lie in whole lines.
    const int64_t within = first - (axis.causal ? axis.kernel - 1 : axis.kernel / 2);
    if (within < base && seen(first + count - 1).begin - within <= kernel.reach) base = within;
    from = scratch.ints(kernel.keys * kernel.lanes);
    for (int64_t lane = 0; lane < kernel.lanes; ++lane) {
      const Interval own = seen(first + std::min(lane, count - 1));
      const int64_t away = own.begin - base;
      for (int64_t e = 0; e < kernel.keys; ++e)
        from[e * kernel.lanes + lane] = static_cast<int32_t>(away + e);
      shifted &= lane >= count || away == lane;
      hides |= sizeOf(own) < window;
    }
    if (!hides) return;
    masks = scratch.floats(window * kernel.lanes);
    for (int64_t e = 0; e < window; ++e)
      for (int64_t lane = 0; lane < kernel.lanes; ++lane)
        masks[e * kernel.lanes + lane] =
            e < sizeOf(seen(first + std::min(lane, count - 1))) ? 0 : kHidden;
  }
};

// What is added to the scores of one row of queries: its bias where there is one, and what its
// lanes do not see. `rows` is what it sees of the rows of keys.
void addendsOf(const LatticeProblem& p, const Tile& tile, const Lanes& l, int64_t head, int64_t y,
               Interval rows, float* addends) {
  const NeighborhoodAxis* axis = p.lattice.axis;
  const int64_t width = neighborTile().lanes, floats = l.window * width;
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    for (int64_t z = tile.keyZ.begin; z < tile.keyZ.end; ++z, addends += floats) {
      if (l.hides)
        std::copy(l.masks, l.masks + floats, addends);
      else
        std::fill(addends, addends + floats, 0.0f);
      if (!p.bias.data) continue;
      const float* bias = p.bias.at(head, z - tile.z + axis[0].kernel - 1,
                                    row - y + axis[1].kernel - 1, axis[2].kernel - 1);
      for (int64_t lane = 0; lane < l.count; ++lane) {
        const int64_t nearest = l.base + l.from[lane] - (l.first + lane);
        for (int64_t e = 0; e < l.window; ++e)
          addends[e * width + lane] += bias[(nearest + e) * p.bias.strides[2]] * kLog2e;
      }
    }
  }
}

// The most rows of the lattice that `rows` rows of queries see together: leaders of windows lie
// whole strides apart.
int64_t mostRows(const NeighborhoodAxis& down, int64_t rows) {
  const int64_t apart = (rows - 2 + down.stride) / down.stride * down.stride;
  return std::min(down.length, down.kernel + apart);
}

// The vectors of queries of a row.
struct LaneCut {
  Lanes* lanes;
  int64_t count = 0, window = 0;
  bool hides = false;
  Interval keysReach, lanesReach;  // columns that vectors of keys and of queries reach

  LaneCut(const NeighborhoodAxis& axis, Interval x, Interval keys, Scratch& scratch)
      : lanes(reinterpret_cast<Lanes*>(
            scratch.bytes(sizeOf(x) * static_cast<int64_t>(sizeof(Lanes))))),
        keysReach(keys),
        lanesReach{x.begin, x.end + neighborTile().lanes} {
    const NeighborTile& kernel = neighborTile();
    for (int64_t first = x.begin; first < x.end; first += lanes[count++].count) {
      const Lanes& l = *new (lanes + count) Lanes(axis, first, x.end, scratch);
      window = std::max(window, l.window);
      hides |= l.hides;
      keysReach.begin = std::min(keysReach.begin, l.base);
      keysReach.end = std::max(keysReach.end, l.base + l.window + kernel.keys + 2 * kernel.lanes);
    }
  }
  const Lanes* begin() const { return lanes; }
  const Lanes* end() const { return lanes + count; }
};

// A tile's rows in memory, and the walk over its rows of queries, some at a time.
class TileWalk {
 public:
  TileWalk(const LatticeProblem& p, const Tile& tile, Scratch& scratch);
  void attend();

 private:
  struct Group {
    Interval queries, keys;  // rows of the lattice
  };
  Group groupAt(int64_t y) const {
    const Interval queries{y, std::min<int64_t>(y + neighborTile().rows, tile_.y.end)};
    return {queries, Tile::seen(p_.lattice.axis[1], queries)};
  }
  // Rows of keys are kept in a ring.
  int64_t slot(int64_t row, int64_t plane) const { return row % ring_ * planes_ + plane; }
  void load(const Group& group);
  void foresee(const Group& group);
  void attendHead(const Group& group, int64_t head);
  void attendLanes(const Group& group, int64_t head, const Lanes& lanes);
  void store(const Group& group) const;

  const LatticeProblem& p_;
  const Tile& tile_;
  const int64_t planes_, ring_;
  const LaneCut cut_;
  const LaneRows keys_, values_, queries_, results_, lse_;
  bool* finite_;  // [slot][head]: values, where some are hidden
  int64_t loaded_;
  const float **key_, **value_;  // [rows of keys]
  float* addends_ = nullptr;     // [row][keys][lanes], if any
  TokenRow* list_;
  TokensAhead ahead_;
  NeighborBlock block_;
};

TileWalk::TileWalk(const LatticeProblem& p, const Tile& tile, Scratch& scratch)
    : p_(p),
      tile_(tile),
      planes_(sizeOf(tile.keyZ)),
      ring_(mostRows(p.lattice.axis[1], neighborTile().rows)),
      cut_(p.lattice.axis[2], tile.x, tile.keyX, scratch),
      keys_(tile.heads, p.depth, tile.keyX, cut_.keysReach, ring_ * planes_, scratch),
      values_(tile.heads, p.valueDepth, tile.keyX, cut_.keysReach, ring_ * planes_, scratch),
      queries_(tile.heads, p.depth, tile.x, cut_.lanesReach, neighborTile().rows, scratch),
      results_(tile.heads, p.valueDepth, tile.x, cut_.lanesReach, neighborTile().rows, scratch),
      lse_(tile.heads, 1, tile.x, cut_.lanesReach, p.lse.data ? neighborTile().rows : 0, scratch),
      loaded_(tile.keyY.begin) {
  const NeighborTile& kernel = neighborTile();
  const int64_t keyRows = ring_ * planes_, floats = keyRows * cut_.window * kernel.lanes;
  finite_ = reinterpret_cast<bool*>(scratch.bytes(keyRows * sizeOf(tile.heads)));
  key_ = reinterpret_cast<const float**>(
      scratch.bytes(2 * keyRows * static_cast<int64_t>(sizeof(const float*))));
  value_ = key_ + keyRows;
  if (cut_.hides || p.bias.data) addends_ = scratch.floats(kernel.rows * floats);
  // Keys and values of the next group's rows, its queries, and where this one's results go.
  const int64_t listed = 2 * (keyRows + kernel.rows) * sizeOf(tile.heads);
  list_ =
      reinterpret_cast<TokenRow*>(scratch.bytes(listed * static_cast<int64_t>(sizeof(TokenRow))));
  block_.depth = static_cast<int>(p.depth);
  block_.valueDepth = static_cast<int>(p.valueDepth);
  block_.queryStep = queries_.pitch();
  block_.keyStep = keys_.pitch();
  block_.valueStep = values_.pitch();
  block_.outStep = results_.pitch();
  block_.scale = p.scale * kLog2e;
  block_.scores = scratch.floats(kernel.rows * floats);
  block_.key = key_;
  block_.value = value_;
  block_.ahead = &ahead_;
}

void TileWalk::load(const Group& group) {
  for (loaded_ = std::max(loaded_, group.keys.begin); loaded_ < group.keys.end; ++loaded_) {
    for (int64_t z = 0; z < planes_; ++z) {
      const int64_t row = slot(loaded_, z);
      keys_.load(row, p_.key, tile_.keyZ.begin + z, loaded_);
      values_.load(row, p_.value, tile_.keyZ.begin + z, loaded_);
      for (int64_t h = tile_.heads.begin; cut_.hides && h < tile_.heads.end; ++h)
        finite_[row * sizeOf(tile_.heads) + h - tile_.heads.begin] = values_.finite(row, h);
    }
  }
  for (int64_t y = group.queries.begin; y < group.queries.end; ++y)
    queries_.load(y - group.queries.begin, p_.query, tile_.z, y);
}

// Lists what the next group loads and this one stores, to be asked for during its products.
void TileWalk::foresee(const Group& group) {
  TokenRow* end = list_;
  if (group.queries.end < tile_.y.end) {
    const Group next = groupAt(group.queries.end);
    for (int64_t row = std::max(loaded_, next.keys.begin); row < next.keys.end; ++row)
      for (int64_t z = tile_.keyZ.begin; z < tile_.keyZ.end; ++z) {
        keys_.foresee(p_.key, z, row, end);
        values_.foresee(p_.value, z, row, end);
      }
    for (int64_t y = next.queries.begin; y < next.queries.end; ++y)
      queries_.foresee(p_.query, tile_.z, y, end);
  }
  for (int64_t y = group.queries.begin; y < group.queries.end; ++y)
    results_.foresee(p_.out, tile_.z, y, end);
  ahead_ =
      TokensAhead(list_, end, 2 * sizeOf(tile_.heads) * cut_.count * sizeOf(group.keys) * planes_);
}

void TileWalk::attendHead(const Group& group, int64_t head) {
  block_.careful = false;
  for (int64_t row = group.keys.begin; row < group.keys.end; ++row)
    for (int64_t z = 0; cut_.hides && z < planes_; ++z)
      block_.careful |= !finite_[slot(row, z) * sizeOf(tile_.heads) + head - tile_.heads.begin];
  for (const Lanes& lanes : cut_) attendLanes(group, head, lanes);
}

void TileWalk::attendLanes(const Group& group, int64_t head, const Lanes& lanes) {
  const int64_t width = neighborTile().lanes;
  const NeighborhoodAxis& down = p_.lattice.axis[1];
  block_.rows = static_cast<int>(sizeOf(group.queries));
  block_.keyRows = static_cast<int>(sizeOf(group.keys) * planes_);
  block_.window = static_cast<int>(lanes.window);
  block_.from = lanes.from;
  block_.shifted = lanes.shifted;
  for (int64_t row = group.keys.begin, n = 0; row < group.keys.end; ++row)
    for (int64_t z = 0; z < planes_; ++z, ++n) {
      key_[n] = keys_.at(slot(row, z), head, lanes.base);
      value_[n] = values_.at(slot(row, z), head, lanes.base);
    }
  for (int r = 0; r < block_.rows; ++r) {
    const int64_t y = group.queries.begin + r;
    const Interval seen = down.visible(y, down.length);
    block_.begin[r] = static_cast<int>((seen.begin - group.keys.begin) * planes_);
    block_.end[r] = static_cast<int>((seen.end - group.keys.begin) * planes_);
    block_.query[r] = queries_.at(r, head, lanes.first);
    block_.out[r] = results_.at(r, head, lanes.first);
    block_.lse[r] = p_.lse.data ? lse_.at(r, head, lanes.first) : nullptr;
    block_.addend[r] = nullptr;
    if (!lanes.hides && !p_.bias.data) continue;
    float* addends = addends_ + r * ring_ * planes_ * cut_.window * width;
    addendsOf(p_, tile_, lanes, head, y, seen, addends);
    block_.addend[r] = addends;
  }
  neighborTile().attend(block_);
}

void TileWalk::store(const Group& group) const {
  for (int64_t y = group.queries.begin; y < group.queries.end; ++y) {
    results_.store(y - group.queries.begin, p_.out, tile_.z, y);
    if (p_.lse.data) lse_.store(y - group.queries.begin, p_.lse, tile_.z, y);
  }
}

void TileWalk::attend() {
  for (int64_t y = tile_.y.begin; y < tile_.y.end; y += neighborTile().rows) {
    const Group group = groupAt(y);
    load(group);
    foresee(group);
    for (int64_t h = tile_.heads.begin; h < tile_.heads.end; ++h) attendHead(group, h);
    store(group);
  }
}

}  // namespace

void attendLattices(const Call& call, int64_t problems, const int64_t (&steps)[Lattice::kAxes],
                    FunctionRef<LatticeProblem(int64_t index)> problemOf) {
  if (problems <= 0) return;
  const LatticeProblem first = problemOf(0);
  if (first.heads <= 0) return;
  const NeighborhoodAxis* axis = first.lattice.axis;
  const int64_t columns = std::min(steps[2], kTileColumns);
  const int64_t across = (steps[2] + columns - 1) / columns;
  const int64_t headFloats = axis[0].kernel * mostRows(axis[1], neighborTile().rows) *
                             (columns + axis[2].kernel + 2 * LaneRows::kLine) *
                             (first.depth + first.valueDepth);
  // As many heads as fit, in groups of equal size; then parts of the rows, which repeat the keys
  // around them, as the threads ask for.
  const int64_t fitting = std::clamp<int64_t>(kTileFloats / headFloats, 1, first.heads);
  const int64_t groups = (first.heads + fitting - 1) / fitting;
  const int64_t heads = (first.heads + groups - 1) / groups;
  const int64_t others = problems * groups * steps[0] * across;
  const int64_t wanted =
      call.threads > 1 ? (kTasksPerThread * call.threads + others - 1) / others : 1;
  const int64_t least = std::max<int64_t>(2 * axis[1].kernel, 12);
  const int64_t down = std::clamp<int64_t>(wanted, 1, std::max<int64_t>(steps[1] / least, 1));
  const int64_t rows = (steps[1] + down - 1) / down;
  parallelFor(call, others * down, [&](int64_t task, Scratch& scratch) {
    const auto take = [&](int64_t count) {
      const int64_t n = task % count;
      task /= count;
      return n;
    };
    const int64_t x = take(across) * columns, y = take(down) * rows, z = take(steps[0]);
    const int64_t h = take(groups) * heads;
    const LatticeProblem p = problemOf(task);
    const NeighborhoodAxis* own = p.lattice.axis;
    if (h >= p.heads || z >= own[0].length || y >= own[1].length || x >= own[2].length) return;
    const Tile tile(p.lattice, {h, std::min(h + heads, p.heads)}, z,
                    {y, std::min(y + rows, own[1].length)},
                    {x, std::min(x + columns, own[2].length)});
    TileWalk(p, tile, scratch).attend();
  });
}

}  // namespace fovea
