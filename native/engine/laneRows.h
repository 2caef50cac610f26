// Rows of a lattice, laid out for queries in the lanes.
#pragma once
#include <algorithm>

#include "core/scratch.h"
#include "engine/latticeLanes.h"
#include "kernels/attendPanel.h"
#include "kernels/copy.h"
#include "kernels/tokensAhead.h"
#include "keysets/band.h"

namespace fovea {

inline int64_t sizeOf(Interval i) { return i.end - i.begin; }

// Rows of a map of all heads of a tile, element by element: [row][head][depth][pitch]. A row of
// tokens is copied a few tokens at a time, all heads of them, whose elements are neighbours.
class LaneRows {
 public:
  static constexpr int64_t kLine = 16;

  // Of the columns `held`, tokens stand in [x.begin, x.end), zeros in the others.
  LaneRows(Interval heads, int64_t depth, Interval x, Interval held, int64_t rows, Scratch& scratch)
      : heads_(heads), x_(x), origin_(held.begin), depth_(depth) {
    // An odd number of cache lines, so that the elements of a key spread over all sets of a cache.
    pitch_ = ((sizeOf(held) + kLine - 1) / kLine | 1) * kLine;
    data_ = scratch.floats(rows * rowFloats());
    for (float* to = data_; to < data_ + rows * rowFloats(); to += pitch_) {
      std::fill(to, to + x.begin - origin_, 0.0f);
      std::fill(to + x.end - origin_, to + pitch_, 0.0f);
    }
  }
  int64_t pitch() const { return pitch_; }
  float* at(int64_t row, int64_t head, int64_t column) const {
    return data_ + row * rowFloats() + (head - heads_.begin) * depth_ * pitch_ + column - origin_;
  }
  void load(int64_t row, const LatticeMap& from, int64_t z, int64_t y) const {
    for (int64_t x = x_.begin; x < x_.end; x += kLine) {
      const int64_t next = std::min(x + kLine, x_.end);
      prefetch<0>(from, z, y, {next, std::min(next + kLine, x_.end)});
      for (int64_t h = heads_.begin; h < heads_.end; ++h)
        copy().tile(from.at(h, z, y, x), from.inner, from.strides[2], at(row, h, x), pitch_, 1,
                    depth_, next - x);
    }
  }
  void store(int64_t row, const LatticeMap& to, int64_t z, int64_t y) const {
    for (int64_t x = x_.begin; x < x_.end; x += kLine) {
      const int64_t next = std::min(x + kLine, x_.end);
      prefetch<1>(to, z, y, {next, std::min(next + kLine, x_.end)});
      for (int64_t h = heads_.begin; h < heads_.end; ++h)
        copy().tile(at(row, h, x), pitch_, 1, to.at(h, z, y, x), to.inner, to.strides[2], depth_,
                    next - x);
    }
  }
  // Lists a row that will be loaded or stored.
  void foresee(const LatticeMap& map, int64_t z, int64_t y, TokenRow*& list) const {
    if (map.inner != 1) return;
    const bool together = map.head == depth_;  // then heads are one piece
    for (int64_t h = heads_.begin; h < (together ? heads_.begin + 1 : heads_.end); ++h)
      *list++ = {map.at(h, z, y, x_.begin), map.strides[2], sizeOf(x_),
                 together ? sizeOf(heads_) * depth_ : depth_};
  }
  bool finite(int64_t row, int64_t head) const {
    const float* all = at(row, head, origin_);
    return attendPanel().finite(&all, 1, static_cast<int>(depth_ * pitch_));
  }

 private:
  // Asks for what comes next along a row.
  template <int kWrite>
  void prefetch(const LatticeMap& map, int64_t z, int64_t y, Interval x) const {
    if (map.inner != 1) return;
    for (int64_t column = x.begin; column < x.end; ++column)
      for (int64_t h = heads_.begin; h < heads_.end; ++h) {
        const float* token = map.at(h, z, y, column);
        for (int64_t k = 0; k < depth_; k += kLine) __builtin_prefetch(token + k, kWrite, 2);
      }
  }
  int64_t rowFloats() const { return sizeOf(heads_) * depth_ * pitch_; }

  Interval heads_, x_;
  int64_t origin_, depth_, pitch_;
  float* data_;
};

}  // namespace fovea
