// A block of keys or values on its way into the tiles.
#pragma once
#include "core/scratch.h"
#include "engine/attention/attend.h"

namespace fovea {

// The rows of a block of keys or values as consecutive floats: where they lie, or copied where a
// row's elements do not follow each other or are no float32, or, `together`, where the rows do not.
class KeyBlock {
 public:
  KeyBlock(const KeyRows& source, int depth, int most, Scratch& scratch, bool together = false);
  // rows() become the keys [first, first + count).
  void seek(int64_t first, int count) {
    hold(first, first + count);
    list(first, count, 0);
  }
  // The same in two steps, for rows in an order of their own: at most `most` keys, of which only
  // those behind the last ones held are copied, and then those of rows() from `at` on.
  void hold(int64_t begin, int64_t end);
  void list(int64_t first, int count, int at);
  const float* const* rows() const { return rows_; }

 private:
  float* copyOf(int64_t key) const { return copy_ + key % most_ * depth_; }

  const KeyRows& source_;
  const int depth_;
  const int most_;
  const float** rows_;
  float* copy_ = nullptr;
  Interval held_;  // keys that are copied
};

}  // namespace fovea
