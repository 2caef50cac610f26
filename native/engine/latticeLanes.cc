#include "engine/latticeLanes.h"

#include <algorithm>
#include <limits>
#include <new>

#include "core/parallel.h"
#include "kernels/attendPanel.h"
#include "kernels/copy.h"
#include "kernels/laneTile.h"

namespace fovea {

namespace {

constexpr float kLog2e = 1.44269504088896341f;
constexpr float kHidden = -std::numeric_limits<float>::infinity();
constexpr int64_t kTileColumns = 128;
constexpr int64_t kTileFloats = 192 * 1024;  // of keys and values: most of a second-level cache
constexpr int64_t kTasksPerThread = 4;
constexpr int64_t kLine = 16;

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

int64_t sizeOf(Interval i) { return i.end - i.begin; }

// Asks for the elements of tokens along a row, of all heads. They lie apart, so that the processor
// does not see by itself what comes next.
template <int kWrite>
void prefetch(const LatticeMap& map, Interval heads, int64_t z, int64_t y, Interval x,
              int64_t depth) {
  if (map.inner != 1) return;
  for (int64_t column = x.begin; column < x.end; ++column)
    for (int64_t h = heads.begin; h < heads.end; ++h) {
      const float* token = map.at(h, z, y, column);
      for (int64_t k = 0; k < depth; k += kLine) __builtin_prefetch(token + k, kWrite, 2);
    }
}

// Rows of a map of all heads of a tile, element by element: [row][head][depth][pitch]. A row of
// tokens is copied a few tokens at a time, all heads of them, whose elements are neighbours.
class LaneRows {
 public:
  // Around the columns [x.begin, x.end) are `before` and at least `after` zeros.
  LaneRows(Interval heads, int64_t depth, Interval x, int64_t before, int64_t after, int64_t rows,
           Scratch& scratch)
      : heads_(heads), x_(x), before_(before), depth_(depth) {
    // An odd number of cache lines, so that the elements of a key spread over all sets of a cache.
    pitch_ = ((before + sizeOf(x) + after + kLine - 1) / kLine | 1) * kLine;
    data_ = scratch.floats(rows * rowFloats());
    for (float* to = data_; to < data_ + rows * rowFloats(); to += pitch_) {
      std::fill(to, to + before, 0.0f);
      std::fill(to + before + sizeOf(x), to + pitch_, 0.0f);
    }
  }
  int64_t pitch() const { return pitch_; }
  float* at(int64_t row, int64_t head, int64_t column) const {
    return data_ + row * rowFloats() + (head - heads_.begin) * depth_ * pitch_ + before_ + column -
           x_.begin;
  }
  void load(int64_t row, const LatticeMap& from, int64_t z, int64_t y) const {
    for (int64_t x = x_.begin; x < x_.end; x += kLine) {
      const int64_t next = std::min(x + kLine, x_.end);
      prefetch<0>(from, heads_, z, y, {next, std::min(next + kLine, x_.end)}, depth_);
      for (int64_t h = heads_.begin; h < heads_.end; ++h)
        copy().tile(from.at(h, z, y, x), from.inner, from.strides[2], at(row, h, x), pitch_, 1,
                    depth_, next - x);
    }
  }
  void store(int64_t row, const LatticeMap& to, int64_t z, int64_t y) const {
    for (int64_t x = x_.begin; x < x_.end; x += kLine) {
      const int64_t next = std::min(x + kLine, x_.end);
      prefetch<1>(to, heads_, z, y, {next, std::min(next + kLine, x_.end)}, depth_);
      for (int64_t h = heads_.begin; h < heads_.end; ++h)
        copy().tile(at(row, h, x), pitch_, 1, to.at(h, z, y, x), to.inner, to.strides[2], depth_,
                    next - x);
    }
  }
  bool finite(int64_t row, int64_t head) const {
    const float* all = at(row, head, x_.begin) - before_;
    return attendPanel().finite(&all, 1, static_cast<int>(depth_ * pitch_));
  }

 private:
  int64_t rowFloats() const { return sizeOf(heads_) * depth_ * pitch_; }

  Interval heads_, x_;
  int64_t before_, depth_, pitch_;
  float* data_;
};

// A vector of queries along a row: the distances of their keys, and which of them see each.
struct Lanes {
  int64_t first, count;  // queries
  int64_t least, most;   // distances
  bool hides = false;
  float* masks;  // [distance][lanes], 0 or -inf

  Lanes(const NeighborhoodAxis& axis, int64_t begin, int64_t lanes, int64_t end, Scratch& scratch)
      : first(begin), count(std::min(lanes, end - begin)), least(INT64_MAX), most(INT64_MIN) {
    for (int64_t x = first; x < first + count; ++x) {
      const Interval seen = axis.visible(x, axis.length);
      least = std::min(least, seen.begin - x);
      most = std::max(most, seen.end - 1 - x);
    }
    masks = scratch.floats(distances() * lanes);
    std::fill(masks, masks + distances() * lanes, 0.0f);
    for (int64_t lane = 0; lane < count; ++lane) {
      const Interval seen = axis.visible(first + lane, axis.length);
      for (int64_t d = least; d <= most; ++d) {
        const int64_t x = first + lane + d;
        if (x >= seen.begin && x < seen.end) continue;
        masks[(d - least) * lanes + lane] = kHidden;
        hides = true;
      }
    }
  }
  int64_t distances() const { return most - least + 1; }
};

// What is added to the scores of one row of queries: its bias where there is one, and what its
// lanes do not see. `keys` counts from the row's first key.
void addendsOf(const LatticeProblem& p, const Tile& tile, const Lanes& lanes, int width,
               int64_t head, int64_t y, Interval rows, float* table, const float** addends) {
  const int64_t planes = sizeOf(tile.keyZ), distances = lanes.distances();
  int64_t n = 0;
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    for (int64_t z = tile.keyZ.begin; z < tile.keyZ.begin + planes; ++z) {
      for (int64_t d = 0; d < distances; ++d, ++n) {
        const float* mask = lanes.masks + d * width;
        addends[n] = mask;
        if (!p.bias.data) continue;
        const NeighborhoodAxis* axis = p.lattice.axis;
        const float bias =
            *p.bias.at(head, z - tile.z + axis[0].kernel - 1, row - y + axis[1].kernel - 1,
                       lanes.least + d + axis[2].kernel - 1);
        float* to = table + n * width;
        for (int lane = 0; lane < width; ++lane) to[lane] = mask[lane] + bias * kLog2e;
        addends[n] = to;
      }
    }
  }
}

// The most rows of the lattice that `rows` rows of queries see together.
int64_t mostRows(const NeighborhoodAxis& down, int64_t rows) {
  return std::min(down.length, down.kernel + down.stride + rows);
}

void attendTile(const LatticeProblem& p, const Tile& tile, Scratch& scratch) {
  const LaneTile& kernel = laneTile();
  const int width = kernel.lanes;
  const NeighborhoodAxis &down = p.lattice.axis[1], &along = p.lattice.axis[2];
  const int64_t planes = sizeOf(tile.keyZ), ring = mostRows(down, kernel.rows);
  // A key that a lane sees is one of the row's: shifted loads reach less than a vector, or a
  // window, before the row, and less than a vector behind it.
  const int64_t before = std::min<int64_t>(width, along.kernel) - 1, after = width - 1;
  const LaneRows keys(tile.heads, p.depth, tile.keyX, before, after, ring * planes, scratch);
  const LaneRows values(tile.heads, p.valueDepth, tile.keyX, before, after, ring * planes, scratch);
  const LaneRows queries(tile.heads, p.depth, tile.x, 0, after, kernel.rows, scratch);
  const LaneRows results(tile.heads, p.valueDepth, tile.x, 0, after, kernel.rows, scratch);
  const LaneRows lse(tile.heads, 1, tile.x, 0, after, p.lse.data ? kernel.rows : 0, scratch);

  const int64_t vectors = (sizeOf(tile.x) + width - 1) / width;
  auto* lanes =
      reinterpret_cast<Lanes*>(scratch.bytes(vectors * static_cast<int64_t>(sizeof(Lanes))));
  int64_t distances = 0;
  bool hides = false;
  for (int64_t i = 0; i < vectors; ++i) {
    new (lanes + i) Lanes(along, tile.x.begin + i * width, width, tile.x.end, scratch);
    distances = std::max(distances, lanes[i].distances());
    hides |= lanes[i].hides;
  }
  auto* finite = reinterpret_cast<bool*>(scratch.bytes(ring * planes * sizeOf(tile.heads)));
  const int64_t most = ring * planes * distances;
  auto** key = reinterpret_cast<const float**>(
      scratch.bytes((2 + kernel.rows) * most * static_cast<int64_t>(sizeof(const float*))));
  const float **value = key + most, **addends = value + most;
  float* table = p.bias.data ? scratch.floats(kernel.rows * most * width) : nullptr;

  LaneBlock block;
  block.depth = static_cast<int>(p.depth);
  block.valueDepth = static_cast<int>(p.valueDepth);
  block.queryStep = queries.pitch();
  block.keyStep = keys.pitch();
  block.valueStep = values.pitch();
  block.outStep = results.pitch();
  block.scale = p.scale * kLog2e;
  block.scores = scratch.floats(kernel.rows * most * width);
  block.key = key;
  block.value = value;
  int64_t loaded = tile.keyY.begin;
  for (int64_t y = tile.y.begin; y < tile.y.end; y += kernel.rows) {
    block.rows = static_cast<int>(std::min<int64_t>(kernel.rows, tile.y.end - y));
    const Interval rows = Tile::seen(down, {y, y + block.rows});
    for (loaded = std::max(loaded, rows.begin); loaded < rows.end; ++loaded) {
      for (int64_t z = 0; z < planes; ++z) {
        const int64_t row = loaded % ring * planes + z;
        keys.load(row, p.key, tile.keyZ.begin + z, loaded);
        values.load(row, p.value, tile.keyZ.begin + z, loaded);
        for (int64_t h = tile.heads.begin; hides && h < tile.heads.end; ++h)
          finite[row * sizeOf(tile.heads) + h - tile.heads.begin] = values.finite(row, h);
      }
    }
    for (int r = 0; r < block.rows; ++r) queries.load(r, p.query, tile.z, y + r);
    for (int64_t h = tile.heads.begin; h < tile.heads.end; ++h) {
      bool clean = true;
      for (int64_t n = 0; hides && n < sizeOf(rows) * planes; ++n) {
        const int64_t row = (rows.begin + n / planes) % ring * planes + n % planes;
        clean &= finite[row * sizeOf(tile.heads) + h - tile.heads.begin];
      }
      for (const Lanes* l = lanes; l < lanes + vectors; ++l) {
        const int64_t each = planes * l->distances();
        block.careful = l->hides && !clean;
        block.keys = static_cast<int>(sizeOf(rows) * each);
        int64_t n = 0;
        for (int64_t row = rows.begin; row < rows.end; ++row)
          for (int64_t z = 0; z < planes; ++z) {
            const int64_t at = row % ring * planes + z;
            const float* k = keys.at(at, h, l->first + l->least);
            const float* v = values.at(at, h, l->first + l->least);
            for (int64_t d = 0; d < l->distances(); ++d, ++n) {
              key[n] = k + d;
              value[n] = v + d;
            }
          }
        for (int r = 0; r < block.rows; ++r) {
          const Interval seen = down.visible(y + r, down.length);
          block.begin[r] = static_cast<int>((seen.begin - rows.begin) * each);
          block.end[r] = static_cast<int>((seen.end - rows.begin) * each);
          block.query[r] = queries.at(r, h, l->first);
          block.out[r] = results.at(r, h, l->first);
          block.lse[r] = p.lse.data ? lse.at(r, h, l->first) : nullptr;
          block.addend[r] = nullptr;
          if (!l->hides && !p.bias.data) continue;
          addendsOf(p, tile, *l, width, h, y + r, seen, table ? table + r * most * width : nullptr,
                    addends + r * most);
          block.addend[r] = addends + r * most;
        }
        kernel.attend(block);
      }
    }
    for (int r = 0; r < block.rows; ++r) {
      results.store(r, p.out, tile.z, y + r);
      if (p.lse.data) lse.store(r, p.lse, tile.z, y + r);
    }
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
  const int64_t headFloats = axis[0].kernel * mostRows(axis[1], laneTile().rows) *
                             (columns + axis[2].kernel + 2 * kLine) *
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
    attendTile(
        p,
        Tile(p.lattice, {h, std::min(h + heads, p.heads)}, z,
             {y, std::min(y + rows, own[1].length)}, {x, std::min(x + columns, own[2].length)}),
        scratch);
  });
}

}  // namespace fovea
