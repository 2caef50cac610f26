#include "engine/maps/convPlan.h"

#include <algorithm>
#include <numeric>

#include "core/ceilDiv.h"
#include "kernels/maps/convTile.h"

namespace fovea {

namespace {

// Positions of a box: more would push what belongs to it out of the second-level cache, fewer would
// lay out more rows twice.
constexpr int64_t kBoxPositions = 912;
constexpr int64_t kFewPositions = 192;
// Floats of the input of a box under one tap, 96 KB, where that is more than the fewest positions:
// 256 to 64 channels of 56 x 56 take 0.9 of the time with 192 positions that 288 take.
constexpr int64_t kPointFloats = 3 << 13;
// Floats of the input laid out at a time, and of the sums: 256 KB each.
constexpr int64_t kMapFloats = 1 << 16;
constexpr int64_t kSumFloats = 1 << 16;
// Steps of a chunk of the product, and positions of a run, of a multiple of which a box is made.
constexpr int64_t kBlockDepth = 288;
constexpr int64_t kRunPositions = 48;  // twice and four times that where channels are few
// Of a chunk under one tap, whose steps share no lines: a run of its input takes 24 KB.
constexpr int64_t kPointDepth = 128;
// Where channels lie in the lanes: steps whose weights for 64 output channels take 18 KB of the
// first-level cache (36 KB are 1 % faster where nobody else uses it, and slower where a neighbour
// on the core does); positions of a box, over which the weights are fetched once; floats of its
// sums, 384 KB; the shortest sum that is worth turning its results round.
constexpr int64_t kColumnDepth = 72;
constexpr int64_t kColumnPositions = 800;
constexpr int64_t kColumnFloats = 3 << 15;
constexpr int64_t kLeastDepth = 64;
// With two columns a step has too few multiply-adds for its loads: 64 to 32 channels of 56 x 56
// went from 4.0 to 4.4 ms.
constexpr int64_t kLeastColumns = 3;
// Maps up to this size have no runs of positions that are worth laying out for one tap.
constexpr int64_t kFewPlaces = 900;
// Where at least four planes share a page, sums of so many channels stay in registers, and weights
// come from the second-level cache: 1024 to 256 channels of 14 x 14 take 0.77 ms, of 72 at a time
// 0.85. With larger planes every step meets another page: 512 to 128 of 28 x 28 0.95 and 0.86.
constexpr int64_t kSharedPositions = 256;
constexpr int64_t kSharedChannels = 1024;
constexpr int64_t kLine = 16;
// Wider rows are cut.
constexpr int64_t kMostColumns = 384;
constexpr int64_t kMostReach = 256;
// Tasks that a convolution is cut into where it is large enough for that, and what a task is worth.
constexpr int64_t kTasks = 16;
constexpr int64_t kTaskProducts = 1 << 21;

// Parts of equal size: that of one part, a multiple of `unit` but where the whole is smaller.
int64_t evenPart(int64_t count, int64_t most, int64_t unit) {
  const int64_t parts = std::max<int64_t>(ceilDiv(count, std::max<int64_t>(most, 1)), 1);
  return std::min(count, ceilDiv(ceilDiv(count, parts), unit) * unit);
}

}  // namespace

int64_t stripChannels(const ConvShape& s) {
  const int64_t outs = s.outChannels / s.groups, depth = s.inChannels / s.groups * s.taps();
  const int64_t columns = ceilDiv(outs, kColumn);
  const bool fits =
      depth >= kLeastDepth && columns >= kLeastColumns && 4 * outs >= 3 * columns * kColumn;
  return fits ? kColumn : kStrip;
}

ConvAxis::ConvAxis(const ConvShape& shape, int axis, bool isShared, bool steps)
    : shared(isShared), stride(shape.stride[axis]), dilation(shape.dilation[axis]) {
  const int64_t taps = shape.kernel[axis];
  // Taps further apart share next to nothing, and such a plane could be of any size.
  shared = shared && (taps - 1) * dilation / stride <= kMostReach * taps;
  if (shared && steps) {
    step = stride;
    stride = 1;
  }
  // Residues of k * dilation repeat after stride / gcd taps.
  planes = shared ? std::min(taps, stride / std::gcd(stride, dilation)) : taps;
  reach = shared ? (taps - 1) * dilation / stride : 0;
}

// Lays the axes out in the given way; returns what a position then costs, in cycles.
double ConvPlan::lay(const ConvShape& s, const FeatureMap& map, bool sharedY, bool sharedX) {
  const int64_t ins = s.inChannels / s.groups, outs = s.outChannels / s.groups;
  y = ConvAxis(s, 1, sharedY, columnsOfChannels);
  x = ConvAxis(s, 2, sharedX, columnsOfChannels);
  int64_t box = kBoxPositions;
  if (columnsOfChannels) {
    const int64_t all = map.batch * out[0] * out[1] * out[2];
    box = std::clamp(std::min(all / kTasks, kColumnFloats / std::max<int64_t>(outs, 1)),
                     kFewPositions, kColumnPositions);
  }
  const int64_t most = s.taps() == 1 ? std::clamp(kPointFloats / std::max<int64_t>(ins, 1),
                                                  kFewPositions, kBoxPositions)
                                     : std::min(kMostColumns, box);
  columns = evenPart(out[2], most, 16);
  boxColumns_ = ceilDiv(out[2], columns);
  pitch = x.span(columns);
  if (x.planes == 1 && s.stride[2] == 1 && boxColumns_ == 1) {
    // Zeros behind a row are those in front of the next.
    const int64_t behind = pitch - std::min(s.padding[2], pitch) - map.size[2];
    pitch -= std::clamp<int64_t>(behind, 0, std::min(s.padding[2], x.reach));
  }
  const int64_t rowFloats = s.kernel[0] * x.planes * y.planes * pitch;
  const int64_t fitting = kMapFloats / std::max<int64_t>(ins * rowFloats, 1) - y.reach;
  const int64_t few = ceilDiv(kFewPositions, pitch);
  const int64_t many = std::max<int64_t>(box / (columnsOfChannels ? columns : pitch), 1);
  rows = evenPart(out[1], columnsOfChannels ? many : std::min(std::max(fitting, few), many), 1);
  boxRows_ = ceilDiv(out[1], rows);
  planeFloats = y.span(rows) * pitch;
  sliceFloats = x.planes * y.planes * planeFloats;
  channelFloats = s.kernel[0] * sliceFloats;
  if (s.taps() == 1) {
    // An odd number of lines: with an even one, channels would meet in few sets of a cache.
    channelFloats = (ceilDiv(channelFloats, kLine) | 1) * kLine;
  }
  const int64_t computed = columnsOfChannels ? rows * columns : (rows - 1) * pitch + columns;
  const double products =
      static_cast<double>(ceilDiv(computed, 16)) * static_cast<double>(s.taps() * outs) / 2;
  const double packing = static_cast<double>(channelFloats) / 6;
  return static_cast<double>(ins) * (products + packing) / static_cast<double>(rows * columns);
}

ConvPlan::ConvPlan(const ConvShape& s, const FeatureMap& map, bool transforms) {
  for (int axis = 0; axis < 3; ++axis) out[axis] = s.outSize(axis, map.size[axis]);
  const bool shifts = (s.kernel[2] - 1) * s.dilation[2] >= s.stride[2];
  columnsOfChannels =
      stripChannels(s) == kColumn && (shifts || out[0] * out[1] * out[2] <= kFewPlaces);
  inPlace = columnsOfChannels && s.taps() == 1 && !transforms && !s.padded();
  const int64_t ins = s.inChannels / s.groups, outs = s.outChannels / s.groups;
  double best = lay(s, map, true, true);
  int bestWay = 3;
  for (int way = 0; way < 3; ++way) {
    if (const double cost = lay(s, map, way & 1, way & 2); cost < best) {
      best = cost;
      bestWay = way;
    }
  }
  lay(s, map, bestWay & 1, bestWay & 2);
  rowsOfOne = outs == 1 && s.kernel[1] > 1 && y.shared && y.planes == 1 && y.shift(1) == 1;
  // Behind the last row: the zeros that it does not share, and what whole vectors read.
  slackFloats = x.span(columns) - pitch + 16;
  const int64_t positions = (rows - 1) * pitch + columns, strip = stripChannels(s);
  strips = ceilDiv(outs, strip);
  const int64_t mostChannels = kMapFloats / std::max<int64_t>(channelFloats, 1);
  if (columnsOfChannels) {
    const bool shares = inPlace && map.positions() < kSharedPositions;
    chunkChannels = evenPart(
        ins, shares ? kSharedChannels : std::min(mostChannels, kColumnDepth / s.taps()), 1);
    blockChannels = chunkChannels;
    runPositions = ceilDiv(rows * columns, kPlaces) * kPlaces;
    partStrips = evenPart(strips, kColumnFloats / (runPositions * strip), 4);
  } else {
    chunkChannels = evenPart(ins, mostChannels, 1);
    const int64_t depth = s.taps() == 1 ? kPointDepth : kBlockDepth;
    blockChannels = evenPart(chunkChannels, depth / s.taps(), 1);
    runPositions = outs > 4 ? kRunPositions : outs > 2 ? 2 * kRunPositions : 4 * kRunPositions;
    partStrips = evenPart(strips, kSumFloats / (ceilDiv(positions, 16) * 16 * strip), 1);
  }

  // Output channels of a box are shared out where there are few boxes, groups where one is little
  // work. Boxes are taken together where there are many, and each asks for the next one's input.
  const int64_t products = std::max<int64_t>(ins * s.taps() * outs * positions, 1);
  const int64_t pieces = map.batch * boxes();
  taskStrips = strips;
  taskGroups = taskBoxes = 1;
  if (s.groups == 1) {
    const int64_t wanted =
        std::min(ceilDiv(kTasks, std::max<int64_t>(pieces, 1)), products / kTaskProducts);
    taskStrips =
        evenPart(strips, ceilDiv(strips, std::max<int64_t>(wanted, 1)), columnsOfChannels ? 4 : 1);
    taskBoxes = std::max<int64_t>(pieces / kTasks, 1);
  } else {
    // A channel alone is mostly moved, not multiplied.
    const int64_t worth = rowsOfOne ? kTaskProducts / 8 : kTaskProducts;
    taskGroups = std::clamp<int64_t>(worth / products, 1, s.groups);
  }
  partStrips = std::min(partStrips, taskStrips);
  sumPitch = columnsOfChannels ? partStrips * strip : ceilDiv(positions, 16) * 16 + 16;
  sumFloats = sumPitch * (columnsOfChannels ? runPositions : partStrips * strip);
  stripTasks = std::max<int64_t>(ceilDiv(strips, std::max<int64_t>(taskStrips, 1)), 1);
  groupTasks = ceilDiv(s.groups, taskGroups);
  boxTasks = ceilDiv(pieces, taskBoxes);
}

ConvBox ConvPlan::box(int64_t index) const {
  ConvBox box;
  box.index = index;
  const int64_t column = index % boxColumns_ * columns;
  const int64_t row = index / boxColumns_ % boxRows_ * rows;
  box.first[0] = index / boxColumns_ / boxRows_;
  box.first[1] = row;
  box.first[2] = column;
  box.size[0] = 1;
  box.size[1] = std::min(rows, out[1] - row);
  box.size[2] = std::min(columns, out[2] - column);
  return box;
}

bool isPointwise(const ConvShape& s) {
  for (int axis = 0; axis < 3; ++axis) {
    if (s.stride[axis] != 1) return false;
  }
  return s.taps() == 1 && !s.padded();
}

}  // namespace fovea
