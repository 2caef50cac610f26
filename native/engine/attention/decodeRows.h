// Keys or values on their way into the decoding tile.
#pragma once
#include "core/scratch.h"
#include "engine/attention/attend.h"
#include "kernels/attention/decodeTile.h"

namespace fovea {

// The rows of a block of keys or values: where they lie, or copied as floats where a row's elements
// do not follow each other. And rows to ask for long before they are read: memory gives many places
// sooner than one, so of the next sixteen pages each block asks for a row a page. 1x32x1x128 over
// 8192 keys took 0.65 to 0.82 of the time of asking for the block after the next (with four places
// 0.97, with eight 0.89). A list of few pages is over before that helps.
class DecodeRows {
 public:
  // For blocks of the keys `part`; the calling thread goes through those of `run`.
  DecodeRows(const KeyRows& source, int width, Interval part, Interval run, Scratch& scratch);
  // Asks for the pages of the block at `at`, which nobody has asked for.
  void start(int64_t at);
  // The block at `at`, a multiple of kDecodeKeys, comes to hand. The one sought before it stays.
  void seek(int64_t at);

  Dtype dtype() const { return copy_ ? Dtype::kFloat32 : source_.dtype; }
  // Each of kDecodeKeys rows; behind the last key it is repeated.
  const void* const* at(int64_t at) const { return rows_[at / kDecodeKeys % kBlocks]; }
  // What to ask for while the block at `at` is attended: itself where there is nothing.
  const void* const* later(int64_t at);

 private:
  static constexpr int kBlocks = 2;

  int64_t span() const { return page_ * kDecodeKeys; }  // keys whose pages are asked for together
  bool listPages(int64_t first);

  const KeyRows& source_;
  int width_;
  int64_t end_, runEnd_;
  int64_t page_ = 0;  // rows of one; 0: none are asked for
  float* copy_ = nullptr;
  const void* rows_[kBlocks][kDecodeKeys];
  const void* pages_[kDecodeKeys];
};

}  // namespace fovea
