// A panel of 48 queries on its way through the blocks of keys: what each query sees, and the
// running state of its softmax.
#pragma once
#include "engine/attention/attend.h"
#include "kernels/attention/attendTile.h"
#include "kernels/matrix/pack.h"

namespace fovea {

// The first row of a panel. Panels are full but the last; where that had a single vector of AVX-512
// left, which a register tile cannot use well, the one before gives it another.
int64_t panelBegin(int64_t rows, int64_t panel);

struct QueryPanel {
  // What the queries see of a segment: what any of them sees, and what every one does.
  struct Sight {
    int64_t anyBegin = INT64_MAX, anyEnd = 0;
    int64_t everyBegin = 0, everyEnd = INT64_MAX;
    bool everything(int64_t at, int64_t stop) const { return everyBegin <= at && stop <= everyEnd; }
    // [48] each, whole numbers: what each of them sees. Null where every one sees every key.
    double *begin = nullptr, *end = nullptr;
  };

  int queries = 0;
  bool alone = false;        // see LoneWalk
  bool open = false;         // queries are packed, and the state is there
  bool begun = false;        // acc holds sums; before the first block it holds nothing
  bool finished = false;     // results are written
  bool sharesAddend = true;  // all rows have the same bias and mask
  QueryRow* rows = nullptr;
  float* packed = nullptr;  // [D][48]
  float* acc = nullptr;     // [Dv][48]
  float* shift = nullptr;   // [48]
  float* sums = nullptr;    // [48]
  float* slopes = nullptr;  // [48] in units of log2; null without ALiBi
  float* sinks = nullptr;   // [48] in units of log2; null without sinks
  float* excess = nullptr;  // [48], see QueryRow::settle; null without ALiBi
  Sight sights[kMaxSegments];

  // Finds the rows [first, first + queries) of the problem and what they see.
  void describe(const AttendProblem& problem, int64_t first, int queries, Scratch& scratch);
  // Room for the queries and the state.
  void makeRoom(const AttendProblem& problem, Scratch& scratch);
  // Brings the queries, and the state that the problem resumes, into the lanes.
  void prepare(const AttendProblem& problem);
  // Whether it has to do with the keys [at, stop) of a segment.
  bool meets(int segment, int64_t at, int64_t stop) const {
    return !finished && sights[segment].anyBegin < stop && sights[segment].anyEnd > at;
  }
  // Of the keys [at, stop) of a segment without those of a hole, which every query sees: those that
  // each of them sees, as whole numbers, relative to the first.
  void bounds(int segment, int64_t at, int64_t stop, const Interval& hole, float* begin,
              float* end) const;
  // Takes the block into the state: its keys and values are there, and what hides keys.
  void attend(const AttendProblem& problem, AttendBlock& block);
  // Writes out, lse and state of the rows, once.
  void finish(const AttendProblem& problem);
};

}  // namespace fovea
