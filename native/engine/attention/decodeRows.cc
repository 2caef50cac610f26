#include "engine/attention/decodeRows.h"

#include <algorithm>

#include "engine/matrix/readFloats.h"

namespace fovea {

DecodeRows::DecodeRows(const KeyRows& source, int width, Interval part, Interval run,
                       Scratch& scratch)
    : source_(source), width_(width), end_(part.end), runEnd_(run.end) {
  if (source.inner != 1) copy_ = scratch.floats(int64_t{kBlocks} * kDecodeKeys * width);
  constexpr int64_t kPageBytes = 4096, kFewPages = 64, kMostRows = 64;
  const int64_t bytes = std::max<int64_t>(width * byteSize(source.dtype), 1);
  const int64_t page = std::clamp<int64_t>(kPageBytes / bytes, 1, kMostRows);
  if (!copy_ && run.end - run.begin >= kFewPages * page) page_ = page;
}

void DecodeRows::start(int64_t at) {
  if (page_ == 0) return;
  constexpr int64_t kLine = 64;
  const int64_t first = at / span() * span(), bytes = width_ * byteSize(source_.dtype);
  for (int64_t row = first; row < first + page_ && listPages(row); ++row) {
    for (int64_t k = 0; k < bytes; k += kLine) {
      for (const void* page : pages_) {
        __builtin_prefetch(static_cast<const char*>(page) + k, 0, 2);
      }
    }
  }
}

void DecodeRows::seek(int64_t at) {
  const void** rows = rows_[at / kDecodeKeys % kBlocks];
  const int count = static_cast<int>(std::clamp<int64_t>(end_ - at, 0, kDecodeKeys));
  const int listed = std::max(count, 1);
  source_.list(std::min(at, end_ - 1), listed, rows);
  std::fill(rows + listed, rows + kDecodeKeys, rows[listed - 1]);
  for (int i = 0; copy_ && i < count; ++i) {
    float* copy = copy_ + (at / kDecodeKeys % kBlocks * kDecodeKeys + i) * width_;
    readFloats(rows[i], source_.dtype, source_.inner, copy, width_);
    rows[i] = copy;
  }
}

const void* const* DecodeRows::later(int64_t at) {
  if (page_ == 0) return this->at(at);
  return listPages((at / span() + 1) * span() + at / kDecodeKeys % page_) ? pages_ : this->at(at);
}

// A row a page, from `first` on, if it is one of the thread's.
bool DecodeRows::listPages(int64_t first) {
  for (int64_t i = 0; i < kDecodeKeys; ++i) {
    pages_[i] = source_.row(std::min(first + i * page_, runEnd_ - 1));
  }
  return first < runEnd_;
}

}  // namespace fovea
