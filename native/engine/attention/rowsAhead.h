// Memory that is on its way while something else is computed.
#pragma once
#include <algorithm>

#include "engine/attention/queryPanel.h"
#include "kernels/attention/attendTile.h"

namespace fovea {

// Rows of memory that a visit asks for while it computes, because the next ones need them.
class RowsAhead {
 public:
  explicit RowsAhead(Scratch& scratch) : rows_(scratch.array<const float*>(kMost)) {}
  void clear() { count_ = 0; }
  void queries(const QueryPanel& panel) {
    for (int i = 0; i < panel.queries; ++i) add(panel.rows[i].query);
  }
  void results(const QueryPanel& panel) {
    for (int i = 0; i < panel.queries; ++i) add(panel.rows[i].out);
  }
  void keys(const KeyRows& keys, int64_t begin, int64_t end) {
    if (begin >= end) return;
    const int count = static_cast<int>(std::min<int64_t>(end - begin, kMost - count_));
    keys.list(begin, count, rows_ + count_);
    count_ += count;
  }
  // The biases and masks of keys [begin, end), where queries have their own.
  void addends(const AttendProblem& p, const QueryPanel& panel, int64_t begin, int64_t end) {
    const int64_t floats = std::max(p.depth, p.valueDepth);
    const QueryRow *first = panel.rows, *last = first + panel.queries - 1;
    if (panel.sharesAddend) return;
    if (p.bias && p.biasStride == 1)
      for (const QueryRow* row = first; row <= last; ++row)
        for (int64_t j = begin; j < end; j += floats) add(row->bias + j);
    if (p.mask && p.maskStride == 1)
      for (const QueryRow* row = first; row <= last; ++row)
        for (int64_t j = begin; j < end; j += 4 * floats) add(row->mask + j);
  }
  // The block asks for them, or for its share where it is [begin, end) of `all` keys of a walk.
  void give(const AttendProblem& p, AttendBlock& block, int64_t begin = 0, int64_t end = 1,
            int64_t all = 1) const {
    const int64_t first = count_ * begin / all;
    block.ahead = rows_ + first;
    block.aheadRows = static_cast<int>(count_ * end / all - first);
    block.aheadFloats = std::max(p.depth, p.valueDepth);
  }

 private:
  static constexpr int kMost = 1024;  // whatever is behind them comes when it is needed
  void add(const void* row) {
    if (count_ < kMost) rows_[count_++] = static_cast<const float*>(row);
  }

  const float** rows_;
  int count_ = 0;
};

}  // namespace fovea
