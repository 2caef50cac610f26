// The part of a convolution that one thread computes at a time: a box of positions of one entry of
// the batch, for some output channels of a group.
#pragma once
#include <cstdint>

#include "core/scratch.h"
#include "engine/maps/conv.h"
#include "engine/maps/convPlan.h"
#include "kernels/maps/convTile.h"

namespace fovea {

// The steps that end a convolution, for rows of the output or, where all of their maps keep their
// positions in a line, for all rows of a box together.
struct ConvEnd {
  explicit ConvEnd(const ConvProblem& p) : rows(p.steps), lines(p.steps), areLines(lines.isLine()) {
    if (areLines) lines.asLine();
  }
  MapSteps rows, lines;
  bool areLines;
};

struct ConvVisit {
  ConvBox box;
  int64_t b, group;

  // Whether the input of both is the same.
  bool readsAs(const ConvVisit& other) const {
    return box.index == other.box.index && b == other.b && group == other.group;
  }
};

class ConvWorker {
 public:
  ConvWorker(const ConvProblem& problem, const ConvPlan& plan, const ConvEnd& end,
             Scratch& scratch);
  // Output channels [firstStrip, endStrip) of the group. `next`, or null, is what this worker is
  // given next.
  void compute(const ConvVisit& visit, int64_t firstStrip, int64_t endStrip, const ConvVisit* next);

 private:
  // Makes `map_` the input of these channels.
  void provide(const ConvVisit& visit, int64_t firstChannel, int64_t channels);
  void lay(const ConvVisit& visit, int64_t firstChannel, int64_t channels);
  void multiply(int64_t positions, const float* weights, int64_t outs, int64_t channels,
                bool resume);
  void multiplyRows(const ConvBox& box, const float* weights, int64_t channels, bool resume);
  void multiplyColumns(const ConvBox& box, const float* weights, int64_t strips, int64_t channels,
                       bool resume);
  // The positions of a channel lie together in `sums`, or the channels of a position do.
  void finish(const ConvVisit& visit, int64_t firstChannel, int64_t channels);
  void finishColumns(const ConvVisit& visit, int64_t firstChannel, int64_t channels);
  // Whether all rows of a box are one run of positions in all that the steps read and write.
  bool isRun(const ConvBox& box) const;

  // Collects lines to be asked for during the next product.
  void askForInput(const ConvVisit& visit, int64_t firstChannel, int64_t channels);
  void askForOutput(const ConvVisit& visit, int64_t firstChannel, int64_t channels);
  // Positions from `first` to before `end`, where rows are contiguous.
  void ask(const FeatureMap& map, int64_t b, int64_t firstChannel, int64_t channels,
           const int64_t* first, const int64_t* end);

  const ConvProblem& p_;
  const ConvPlan& plan_;
  const ConvEnd& end_;
  const float* map_;  // the input that is multiplied: `laid_`, or where it lies
  // In it, from one position of the output to the next and from a channel to the next.
  int64_t rowStep_, columnStep_, channelStep_;
  float* laid_ = nullptr;          // [chunk of channels][plan.channelFloats]
  int64_t* offsets_;               // of the taps of plan.blockChannels channels in it
  float* sums_;                    // plan.sumFloats
  float* buffer_;                  // as much as a row that the steps are applied to
  int64_t* places_ = nullptr;      // of the positions of a box
  float* turned_ = nullptr;        // [kColumn][kTurned] sums, positions side by side
  const float** ahead_ = nullptr;  // lines to be asked for
  int64_t aheadLines_ = 0;
  int64_t placedRows_ = 0, placedColumns_ = 0;
  int64_t boxInMap_ = -1, batchInMap_ = -1, channelInMap_ = -1;
};

}  // namespace fovea
