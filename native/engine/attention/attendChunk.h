// Panels of queries on their walk over the keys.
#pragma once
#include "engine/attention/keyBlock.h"
#include "engine/attention/loneWalk.h"
#include "engine/attention/panelTerms.h"
#include "engine/attention/queryPanel.h"
#include "engine/attention/rowsAhead.h"

namespace fovea {

// The panels of a chunk and their walk over the keys. Problems that are alike walk together: a bias
// or mask is brought into the lanes once for all of them.
class AttendChunk {
 public:
  // Panels [first, first + count) of each problem.
  AttendChunk(const AttendProblem* const* problems, int problemCount, int64_t first, int64_t count,
              Scratch& scratch);
  void attend();

 private:
  void walk(int segment);
  // All panels of a problem at the keys [at, stop), which `next` more come after.
  void meet(int problem, int segment, int64_t at, int64_t stop, int64_t next);
  void visit(QueryPanel& panel, int segment, int64_t at, uint8_t* lanes, bool brought,
             KeyBlock& values, AttendBlock& block);
  void lookAhead(int problem, int panel, int segment, int64_t at, int64_t stop, int64_t next);
  QueryPanel& panelOf(int problem, int panel) { return panels_[problem * count_ + panel]; }
  // Whether a panel sees no key from `stop` of a segment on.
  bool endsIn(const QueryPanel& panel, int segment, int64_t stop) const {
    return segment + 1 == p_.segmentCount && panel.sights[segment].anyEnd <= stop;
  }

  const AttendProblem* const* problems_;
  const AttendProblem& p_;  // any of them, for what they have in common
  Scratch& scratch_;
  const int problemCount_, count_;
  QueryPanel* panels_;
  float* scores_;
  uint8_t* lanes_ = nullptr;  // addends of count_ panels, where problems share them
  PanelTerms terms_;
  RowsAhead ahead_;
  bool cold_ = true;            // nobody has asked for the values of this block
  int visit_ = 0, visits_ = 0;  // of panels that see this block: which comes, and how many
  int clean_ = -1;              // whether the block's values are finite: -1 not known yet
};

}  // namespace fovea
