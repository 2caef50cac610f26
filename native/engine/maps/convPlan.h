// How a convolution is cut, from its shape and the size of its map alone.
//
// The output is cut into boxes of positions, one slice of depth each. The input of a box is laid
// out in scratch (convPack), a few channels at a time, so that the sum at every position p of the
// box under any tap reads element offset(tap) + p: positions are numbered along rows of `pitch`,
// row behind row, and lanes run across the ends of rows. The few positions between two rows are
// computed and not used.
//
// An axis is laid out in one of two ways, whichever costs less. Shared: one plane for each residue
// of the stride that the taps meet, and taps shift within it. Apart: a plane for every tap, with no
// position between rows; for small maps and wide dilations.
//
// Of the products of kernels/maps/convTile.h the one by rows takes groups of one output channel.
// The one with output channels in the lanes takes kernels that are wider than one tap, whose loads
// of positions would straddle cache lines. Input channels are then laid out as many at a time as
// have their weights for 64 output channels in the first-level cache, and positions between rows
// are left out. Under a single tap it needs no layout: broadcasts read the map where it lies.
#pragma once
#include <cstdint>

#include "engine/maps/conv.h"

namespace fovea {

struct ConvAxis {
  bool shared = true;
  int64_t planes = 1;
  int64_t reach = 0;  // the largest shift within a plane
  int64_t step = 1;   // of a plane's elements from one position to the next
  int64_t stride = 1, dilation = 1;

  ConvAxis() = default;
  // `steps`: one plane whatever the stride, where positions need not be adjacent.
  ConvAxis(const ConvShape& shape, int axis, bool shared, bool steps);
  // Elements of a plane that `positions` of the output read.
  int64_t span(int64_t positions) const { return (positions - 1) * step + 1 + reach; }
  // Of tap k: its plane, and how far it is shifted in it.
  int64_t plane(int64_t k) const { return shared ? k % planes : k; }
  int64_t shift(int64_t k) const { return shared ? k * dilation / stride : 0; }
  // What the plane's first element lies behind the window of the first position.
  int64_t start(int64_t plane) const {
    return shared ? plane * dilation % stride : plane * dilation;
  }
};

struct ConvBox {
  int64_t index;
  int64_t first[3], size[3];  // size[0] is 1
};

// Output channels of a strip of packed weights: kColumn where they can lie in the lanes, or kStrip.
int64_t stripChannels(const ConvShape& shape);

struct ConvPlan {
  // `transforms`: something is applied to the input as it is read.
  ConvPlan(const ConvShape& shape, const FeatureMap& x, bool transforms);

  bool columnsOfChannels;  // output channels lie in the lanes
  bool rowsOfOne;          // one output channel, whose rows share the rows they read
  bool inPlace;            // the input is read where it lies
  int64_t out[3];          // size of the output
  ConvAxis y, x;
  int64_t rows, columns;       // of a box
  int64_t pitch, planeFloats;  // of one plane
  int64_t sliceFloats;         // of all planes of one slice of depth
  int64_t channelFloats;       // of all slices that one channel's taps meet
  int64_t slackFloats;         // behind the last channel
  int64_t chunkChannels;       // input channels that are laid out, or read, together
  int64_t blockChannels;       // input channels whose sums stay in registers
  int64_t runPositions;        // positions whose input stays in the first-level cache meanwhile
  int64_t sumPitch;            // of a channel or, where channels lie in the lanes, of a position
  int64_t sumFloats;
  int64_t strips, partStrips;  // output channels of a group, and of one visit to a box
  int64_t taskStrips, stripTasks, taskGroups, groupTasks;
  int64_t taskBoxes, boxTasks;  // boxes of all entries of the batch

  // Where the element of tap (z, y, x) lies for the first position, in floats from the channel's
  // start.
  int64_t offset(int64_t z, int64_t ky, int64_t kx) const {
    return z * sliceFloats + (x.plane(kx) * y.planes + y.plane(ky)) * planeFloats +
           y.shift(ky) * pitch + x.shift(kx);
  }
  int64_t boxes() const { return out[0] * boxRows_ * boxColumns_; }
  ConvBox box(int64_t index) const;

 private:
  double lay(const ConvShape& shape, const FeatureMap& map, bool sharedY, bool sharedX);

  int64_t boxRows_, boxColumns_;
};

// Whether every output reads one position: then the axes of a map mean nothing.
bool isPointwise(const ConvShape& shape);

}  // namespace fovea
