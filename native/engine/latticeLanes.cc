#include "engine/latticeLanes.h"

#include <algorithm>
#include <limits>

#include "core/parallel.h"
#include "kernels/attendPanel.h"
#include "kernels/copy.h"
#include "kernels/laneTile.h"

namespace fovea {

namespace {

constexpr float kLog2e = 1.44269504088896341f;
constexpr float kHidden = -std::numeric_limits<float>::infinity();
constexpr int64_t kTileColumns = 128;
constexpr int64_t kLeastTileRows = 8;
constexpr int64_t kTileFloats = 128 * 1024;  // of keys and values: half a second-level cache
constexpr int64_t kLine = 16;

// Queries [y.begin, y.end) x [x.begin, x.end) at a step z, and what they see along each axis.
struct Tile {
  int64_t z;
  Interval y, x;
  Interval keyZ, keyY, keyX;

  Tile(const Lattice& lattice, int64_t step, Interval rows, Interval columns)
      : z(step), y(rows), x(columns) {
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

// Asks for the elements of tokens along a row. They lie apart, so that the processor does not see
// by itself what comes next: half of all time went by waiting for them.
template <int kWrite>
void prefetch(const LatticeMap& map, int64_t z, int64_t y, Interval x, int64_t depth) {
  if (map.inner != 1) return;
  for (int64_t column = x.begin; column < x.end; ++column) {
    const float* token = map.at(z, y, column);
    for (int64_t k = 0; k < depth; k += kLine) __builtin_prefetch(token + k, kWrite, 2);
    __builtin_prefetch(token + depth - 1, kWrite, 2);
  }
}

// Keys or values of a tile, [y][z][depth][pitch]: shifted loads may reach a vector beyond either
// end of a row.
class LaneMap {
 public:
  LaneMap(const LatticeMap& from, int64_t depth, const Tile& tile, int64_t margin, Scratch& scratch)
      : margin_(margin), depth_(depth) {
    const int64_t columns = sizeOf(tile.keyX), planes = sizeOf(tile.keyZ);
    // An odd number of cache lines, so that the elements of a key spread over all sets of a cache.
    pitch_ = (columns + 2 * margin + kLine - 1) / kLine * kLine;
    if (pitch_ / kLine % 2 == 0) pitch_ += kLine;
    rows_ = sizeOf(tile.keyY) * planes;
    data_ = scratch.floats(rows_ * depth * pitch_);
    for (int64_t row = 0; row < rows_; ++row) {
      float* to = data_ + row * depth * pitch_;
      if (row + 1 < rows_)
        prefetch<0>(from, tile.keyZ.begin + (row + 1) % planes,
                    tile.keyY.begin + (row + 1) / planes, tile.keyX, depth);
      for (int64_t k = 0; k < depth; ++k) {
        std::fill(to + k * pitch_, to + k * pitch_ + margin, 0.0f);
        std::fill(to + k * pitch_ + margin + columns, to + (k + 1) * pitch_, 0.0f);
      }
      copy().tile(
          from.at(tile.keyZ.begin + row % planes, tile.keyY.begin + row / planes, tile.keyX.begin),
          from.inner, from.strides[2], to + margin, pitch_, 1, depth, columns);
    }
  }
  int64_t pitch() const { return pitch_; }
  // Element 0 of the key at a column, which may lie in the margins.
  const float* at(int64_t row, int64_t column) const {
    return data_ + row * depth_ * pitch_ + margin_ + column;
  }
  bool finite() const {
    for (int64_t row = 0; row < rows_; ++row) {
      const float* all = data_ + row * depth_ * pitch_;
      if (!attendPanel().finite(&all, 1, static_cast<int>(depth_ * pitch_))) return false;
    }
    return true;
  }

 private:
  int64_t margin_, depth_, pitch_, rows_;
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
void addendsOf(const LatticeProblem& p, const Tile& tile, const Lanes& lanes, int width, int64_t y,
               Interval rows, float* table, const float** addends) {
  const int64_t planes = sizeOf(tile.keyZ), distances = lanes.distances();
  int64_t n = 0;
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    for (int64_t z = tile.keyZ.begin; z < tile.keyZ.begin + planes; ++z) {
      for (int64_t d = 0; d < distances; ++d, ++n) {
        const float* mask = lanes.masks + d * width;
        addends[n] = mask;
        if (!p.bias.data) continue;
        const NeighborhoodAxis* axis = p.lattice.axis;
        const float bias = *p.bias.at(z - tile.z + axis[0].kernel - 1, row - y + axis[1].kernel - 1,
                                      lanes.least + d + axis[2].kernel - 1);
        float* to = table + n * width;
        for (int lane = 0; lane < width; ++lane) to[lane] = mask[lane] + bias * kLog2e;
        addends[n] = to;
      }
    }
  }
}

// Moves vectors [depth][lanes] to the results of the queries.
void store(const float* lanes, int width, int64_t depth, int64_t count, const LatticeMap& to,
           int64_t z, int64_t y, int64_t x) {
  copy().tile(lanes, width, 1, to.at(z, y, x), to.inner, to.strides[2], depth, count);
}

void attendTile(const LatticeProblem& p, const Tile& tile, Scratch& scratch) {
  const LaneTile& kernel = laneTile();
  const int width = kernel.lanes;
  const LaneMap keys(p.key, p.depth, tile, width - 1, scratch);
  const LaneMap values(p.value, p.valueDepth, tile, width - 1, scratch);
  int clean = -1;  // whether the values are finite: -1 not known yet
  const int64_t planes = sizeOf(tile.keyZ);
  float* queries = scratch.floats(kernel.rows * p.depth * width);
  float* results = scratch.floats(kernel.rows * p.valueDepth * width);
  float* lse = scratch.floats(kernel.rows * width);
  std::fill(queries, queries + kernel.rows * p.depth * width, 0.0f);

  LaneBlock block;
  block.depth = static_cast<int>(p.depth);
  block.valueDepth = static_cast<int>(p.valueDepth);
  block.queryStep = width;
  block.keyStep = keys.pitch();
  block.valueStep = values.pitch();
  block.scale = p.scale * kLog2e;
  for (int64_t x = tile.x.begin; x < tile.x.end; x += width) {
    const Scratch::Scope scope(scratch);
    const Lanes lanes(p.lattice.axis[2], x, width, tile.x.end, scratch);
    if (lanes.hides && clean < 0) clean = values.finite();
    block.careful = lanes.hides && clean == 0;
    // Every key of the tile at every distance: [y][z][distance].
    const int64_t each = planes * lanes.distances(), listed = sizeOf(tile.keyY) * each;
    auto** key = reinterpret_cast<const float**>(
        scratch.bytes(2 * listed * static_cast<int64_t>(sizeof(const float*))));
    const float** value = key + listed;
    for (int64_t n = 0; n < listed; ++n) {
      const int64_t column = x + lanes.least + n % lanes.distances() - tile.keyX.begin;
      key[n] = keys.at(n / lanes.distances(), column);
      value[n] = values.at(n / lanes.distances(), column);
    }
    const NeighborhoodAxis& down = p.lattice.axis[1];
    const int64_t most = (std::min(down.length, down.kernel + down.stride + kernel.rows)) * each;
    const bool adds = lanes.hides || p.bias.data;
    block.scores = scratch.floats(kernel.rows * most * width);
    float* table = p.bias.data ? scratch.floats(kernel.rows * most * width) : nullptr;
    auto** addends = reinterpret_cast<const float**>(
        scratch.bytes(kernel.rows * most * static_cast<int64_t>(sizeof(const float*))));
    for (int64_t y = tile.y.begin; y < tile.y.end; y += kernel.rows) {
      block.rows = static_cast<int>(std::min<int64_t>(kernel.rows, tile.y.end - y));
      const Interval rows = Tile::seen(down, {y, y + block.rows});
      const int64_t skipped = (rows.begin - tile.keyY.begin) * each;
      block.keys = static_cast<int>(sizeOf(rows) * each);
      block.key = key + skipped;
      block.value = value + skipped;
      for (int r = 0; r < block.rows; ++r) {
        const Interval seen = down.visible(y + r, down.length);
        block.begin[r] = static_cast<int>((seen.begin - rows.begin) * each);
        block.end[r] = static_cast<int>((seen.end - rows.begin) * each);
        float* query = queries + r * p.depth * width;
        copy().tile(p.query.at(tile.z, y + r, x), p.query.inner, p.query.strides[2], query, width,
                    1, p.depth, lanes.count);
        block.query[r] = query;
        block.out[r] = results + r * p.valueDepth * width;
        block.lse[r] = p.lse.data ? lse + r * width : nullptr;
        block.addend[r] = nullptr;
        if (!adds) continue;
        addendsOf(p, tile, lanes, width, y + r, seen, table ? table + r * most * width : nullptr,
                  addends + r * most);
        block.addend[r] = addends + r * most;
      }
      for (int64_t ahead = y + block.rows;
           ahead < std::min(y + block.rows + kernel.rows, tile.y.end); ++ahead) {
        prefetch<0>(p.query, tile.z, ahead, {x, x + lanes.count}, p.depth);
        prefetch<1>(p.out, tile.z, ahead, {x, x + lanes.count}, p.valueDepth);
      }
      kernel.attend(block);
      for (int r = 0; r < block.rows; ++r) {
        store(block.out[r], width, p.valueDepth, lanes.count, p.out, tile.z, y + r, x);
        if (p.lse.data) store(block.lse[r], width, 1, lanes.count, p.lse, tile.z, y + r, x);
      }
    }
  }
}

}  // namespace

void attendLattices(const Call& call, int64_t problems, const int64_t (&steps)[Lattice::kAxes],
                    FunctionRef<LatticeProblem(int64_t index)> problemOf) {
  if (problems <= 0) return;
  const LatticeProblem first = problemOf(0);
  const NeighborhoodAxis* axis = first.lattice.axis;
  const int64_t columns = std::min(steps[2], kTileColumns);
  const int64_t rowFloats =
      axis[0].kernel * (columns + axis[2].kernel + 2 * kLine) * (first.depth + first.valueDepth);
  // As many rows as fit with those around them, in parts of equal size.
  const int64_t fitting = std::max(kTileFloats / rowFloats - axis[1].kernel, kLeastTileRows);
  const int64_t down = (steps[1] + fitting - 1) / fitting;
  const int64_t rows = (steps[1] + down - 1) / down;
  const int64_t across = (steps[2] + columns - 1) / columns;
  parallelFor(call, problems * steps[0] * down * across, [&](int64_t task, Scratch& scratch) {
    const int64_t x = task % across * columns, y = task / across % down * rows;
    const int64_t z = task / across / down % steps[0];
    const LatticeProblem p = problemOf(task / across / down / steps[0]);
    const NeighborhoodAxis* own = p.lattice.axis;
    if (z >= own[0].length || y >= own[1].length || x >= own[2].length) return;
    attendTile(p,
               Tile(p.lattice, z, {y, std::min(y + rows, own[1].length)},
                    {x, std::min(x + columns, own[2].length)}),
               scratch);
  });
}

}  // namespace fovea
