#include "engine/attention/keyBlock.h"

#include <algorithm>

#include "engine/matrix/readFloats.h"

namespace fovea {

KeyBlock::KeyBlock(const KeyRows& source, int depth, int most, Scratch& scratch, bool together)
    : source_(source), depth_(depth), most_(most) {
  rows_ = scratch.array<const float*>(most);
  const bool apart = source.index || source.stride != depth;
  const bool wide = source.dtype == Dtype::kFloat32;
  if (!wide || source.inner != 1 || (together && apart))
    copy_ = scratch.floats(int64_t{most} * depth);
}

void KeyBlock::hold(int64_t begin, int64_t end) {
  if (!copy_) return;
  const bool goesOn = held_.begin <= begin && begin < held_.end;
  for (int64_t j = goesOn ? held_.end : begin; j < end; ++j) {
    readFloats(source_.row(j), source_.dtype, source_.inner, copyOf(j), depth_);
  }
  held_ = {begin, goesOn ? std::max(end, held_.end) : end};
}

void KeyBlock::list(int64_t first, int count, int at) {
  if (!copy_) return source_.list(first, count, rows_ + at);
  for (int i = 0; i < count; ++i) rows_[at + i] = copyOf(first + i);
}

}  // namespace fovea
