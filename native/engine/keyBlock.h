// A block of keys or values on its way into the tiles.
#pragma once
#include "core/scratch.h"
#include "engine/attend.h"

namespace fovea {

// The rows of a block of keys or values as consecutive floats: where they lie, or copied where a
// row's elements do not follow each other or are no float32, or, `together`, where the rows do not.
class KeyBlock {
 public:
  KeyBlock(const KeyRows& source, int depth, int most, Scratch& scratch, bool together = false);
  void seek(int64_t first, int count);
  const float* const* rows() const { return rows_; }

 private:
  void askFor(const void* row) const;

  const KeyRows& source_;
  int depth_;
  const float** rows_;
  float* copy_ = nullptr;
};

}  // namespace fovea
