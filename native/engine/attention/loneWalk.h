// Panels that see few keys, each on a walk of its own.
#pragma once
#include "engine/attention/keyBlock.h"
#include "engine/attention/queryPanel.h"
#include "engine/attention/rowsAhead.h"

namespace fovea {

// Panels of windows, and the first ones under a causal mask, have few keys and share fewer with the
// others of a chunk. Such a panel takes all its keys before the next one begins: those that each of
// its queries sees in blocks that are seen whole, then those before and behind them together, as
// one block. Its state stays in the first-level cache until its results are written, and most of
// its keys are in the second from the panel before.
class LoneWalk {
 public:
  // Whether a panel walks alone, by what its queries see.
  static bool takes(const AttendProblem& problem, const QueryPanel& panel);
  // Those of the panels that do. `scores`: see AttendBlock.
  LoneWalk(const AttendProblem& problem, QueryPanel* panels, int count, float* scores,
           Scratch& scratch);
  void attend();

 private:
  // The keys and values of a segment.
  struct Source {
    KeyBlock keys, values;
    Interval finite;  // values that are known to be
  };

  void walk(QueryPanel& panel, int segment);
  // The next `count` keys of a list, from `row` on.
  void meet(QueryPanel& panel, const Source& source, int row, int count);
  bool finite(Source& source, int64_t begin, int64_t end, int row) const;
  void lookAhead(const QueryPanel& panel, const QueryPanel* next);

  const AttendProblem& p_;
  QueryPanel* panels_;
  const int count_;
  Scratch& scratch_;
  Source* sources_;
  AttendBlock block_;
  RowsAhead ahead_;
  int64_t met_ = 0, all_ = 0;  // of the panel's keys: those before this block, and how many
};

}  // namespace fovea
