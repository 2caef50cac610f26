#include "engine/maps/convBox.h"

#include <algorithm>
#include <cstring>

#include "core/ceilDiv.h"
#include "kernels/maps/convPack.h"
#include "kernels/matrix/copy.h"

namespace fovea {

namespace {

// Rows narrower than this are brought together before the steps that end a convolution.
constexpr int64_t kNarrowRow = 64;
// Positions that are turned round and finished together: 28 KB of 16 channels.
constexpr int64_t kTurned = 448;
// Lines that are asked for during one product.
constexpr int64_t kMostAhead = 4096;
constexpr int64_t kLine = 16;

}  // namespace

ConvWorker::ConvWorker(const ConvProblem& problem, const ConvPlan& plan, const ConvEnd& end,
                       Scratch& scratch)
    : p_(problem), plan_(plan), end_(end) {
  const FeatureMap& x = p_.x;
  if (plan.inPlace) {
    rowStep_ = p_.shape.stride[1] * x.stride[1];
    columnStep_ = p_.shape.stride[2] * x.stride[2];
    channelStep_ = x.channelStride;
  } else {
    laid_ = scratch.floats(plan.chunkChannels * plan.channelFloats + plan.slackFloats);
    rowStep_ = plan.y.step * plan.pitch;
    columnStep_ = plan.x.step;
    channelStep_ = plan.channelFloats;
  }
  sums_ = scratch.floats(plan.sumFloats);
  buffer_ = scratch.floats(plan.columnsOfChannels ? kTurned : plan.sumPitch);
  if (plan.columnsOfChannels) {
    places_ = scratch.array<int64_t>(plan.runPositions);
    turned_ = scratch.floats(kColumn * kTurned);
  }
  ahead_ = scratch.array<const float*>(kMostAhead);
  const int64_t taps = p_.shape.taps(), steps = plan.blockChannels * taps;
  offsets_ = scratch.array<int64_t>(steps);
  int64_t* to = offsets_;
  for (int64_t z = 0; z < p_.shape.kernel[0]; ++z) {
    for (int64_t ky = 0; ky < p_.shape.kernel[1]; ++ky) {
      for (int64_t kx = 0; kx < p_.shape.kernel[2]; ++kx) *to++ = plan.offset(z, ky, kx);
    }
  }
  for (int64_t k = taps; k < steps; ++k) offsets_[k] = offsets_[k - taps] + channelStep_;
}

void ConvWorker::provide(const ConvVisit& visit, int64_t firstChannel, int64_t channels) {
  if (!plan_.inPlace) {
    lay(visit, firstChannel, channels);
    map_ = laid_;
    return;
  }
  int64_t at[3];
  for (int axis = 0; axis < 3; ++axis) at[axis] = visit.box.first[axis] * p_.shape.stride[axis];
  map_ = p_.x.at(visit.b, firstChannel, at[0], at[1], at[2]);
}

void ConvWorker::lay(const ConvVisit& visit, int64_t firstChannel, int64_t channels) {
  const auto& [box, b, group] = visit;
  if (boxInMap_ == box.index && batchInMap_ == b && channelInMap_ == firstChannel) return;
  boxInMap_ = box.index;
  batchInMap_ = b;
  channelInMap_ = firstChannel;
  const ConvShape& s = p_.shape;
  const FeatureMap& x = p_.x;
  const ChannelAffine& affine = p_.input.affine;
  const auto from = [&](const float* values) { return values ? values + firstChannel : nullptr; };
  ConvPlanes to;
  to.channels = channels;
  to.channelStride = x.channelStride;
  to.rowStride = x.stride[1];
  to.columnStride = x.stride[2];
  to.width = x.size[2];
  to.ahead = plan_.rowsOfOne ? x.channelStride : 0;
  to.toStride = plan_.channelFloats;
  to.pitch = plan_.pitch;
  to.rows = plan_.y.span(box.size[1]);
  to.columns = plan_.x.span(box.size[2]);
  to.rowStep = s.stride[1] / plan_.y.step;
  to.columnStep = s.stride[2] / plan_.x.step;
  to.transforms = affine || p_.input.relu;
  to.centre = from(affine.centre);
  to.scale = from(affine.scale);
  to.shift = from(affine.shift);
  to.least = p_.input.relu ? 0 : -std::numeric_limits<float>::infinity();
  to.to = laid_;
  for (int64_t kz = 0; kz < s.kernel[0]; ++kz) {
    const int64_t z = box.first[0] * s.stride[0] - s.padding[0] + kz * s.dilation[0];
    const bool inside = z >= 0 && z < x.size[0];
    to.from = x.at(b, firstChannel, inside ? z : 0, 0, 0);
    to.height = inside ? x.size[1] : 0;
    for (int64_t px = 0; px < plan_.x.planes; ++px) {
      to.column = box.first[2] * s.stride[2] - s.padding[2] + plan_.x.start(px);
      for (int64_t py = 0; py < plan_.y.planes; ++py) {
        to.row = box.first[1] * s.stride[1] - s.padding[1] + plan_.y.start(py);
        convPack().planes(to);
        to.to += plan_.planeFloats;
      }
    }
  }
}

void ConvWorker::multiplyRows(const ConvBox& box, const float* weights, int64_t channels,
                              bool resume) {
  const ConvShape& s = p_.shape;
  ConvRows block;
  block.map = map_;
  block.mapPitch = plan_.pitch;
  block.slices = channels * s.kernel[0];
  block.slicePitch = plan_.sliceFloats;
  block.offsets = offsets_;
  block.kernelRows = s.kernel[1];
  block.kernelColumns = s.kernel[2];
  block.weights = weights;
  block.rows = box.size[1];
  block.columns = box.size[2];
  block.sums = sums_;
  block.pitch = box.size[2];
  block.resume = resume;
  convTile().multiplyRows(block);
}

void ConvWorker::multiply(int64_t positions, const float* weights, int64_t outs, int64_t channels,
                          bool resume) {
  const int64_t taps = p_.shape.taps();
  const int64_t depth = p_.shape.inChannels / p_.shape.groups * taps;
  const int64_t strip = stripChannels(p_.shape);
  const auto multiply = convTile().multiply;
  ConvBlock block;
  block.offsets = offsets_;
  block.weightStep = strip;
  block.pitch = plan_.sumPitch;
  const int64_t calls = ceilDiv(channels, plan_.blockChannels) *
                        ceilDiv(positions, plan_.runPositions) * ceilDiv(outs, kStrip);
  int64_t made = 0;
  for (int64_t c = 0; c < channels; c += plan_.blockChannels) {
    block.depth = std::min(plan_.blockChannels, channels - c) * taps;
    block.resume = resume || c > 0;
    for (int64_t at = 0; at < positions; at += plan_.runPositions) {
      block.map = map_ + c * channelStep_ + at;
      block.positions = std::min(plan_.runPositions, positions - at);
      for (int64_t row = 0; row < outs; row += kStrip) {
        block.rows = static_cast<int>(std::min<int64_t>(kStrip, outs - row));
        block.weights = weights + (row / strip * depth + c * taps) * strip + row % strip;
        block.sums = sums_ + row * plan_.sumPitch + at;
        const int64_t begin = aheadLines_ * made / calls;
        block.ahead = ahead_ + begin;
        block.aheadLines = aheadLines_ * ++made / calls - begin;
        multiply(block);
      }
    }
  }
}

bool ConvWorker::isRun(const ConvBox& box) const {
  return end_.areLines && box.size[2] == plan_.out[2];
}

void ConvWorker::finish(const ConvVisit& visit, int64_t firstChannel, int64_t channels) {
  const ConvBox& box = visit.box;
  const int64_t rows = box.size[1], columns = box.size[2];
  const int64_t pitch = plan_.rowsOfOne ? columns : plan_.pitch;
  const bool together = isRun(box) && (columns < kNarrowRow || pitch == columns);
  for (int64_t c = 0; c < channels; ++c) {
    float* sums = sums_ + c * plan_.sumPitch;
    MapPlace at{visit.b, firstChannel + c, box.first[0], box.first[1], box.first[2]};
    if (together) {
      for (int64_t y = 1; y < rows && pitch != columns; ++y) {
        std::memmove(sums + y * columns, sums + y * pitch,
                     sizeof(float) * static_cast<size_t>(columns));
      }
      at = {visit.b, at.c, 0, 0, (at.z * plan_.out[1] + at.y) * columns};
      end_.lines.apply(at, sums, sums, rows * columns, buffer_);
      continue;
    }
    for (int64_t y = 0; y < rows; ++y, ++at.y) {
      float* row = sums + y * pitch;
      end_.rows.apply(at, row, row, columns, buffer_);
    }
  }
}

void ConvWorker::multiplyColumns(const ConvBox& box, const float* weights, int64_t strips,
                                 int64_t channels, bool resume) {
  const int64_t rows = box.size[1], columns = box.size[2];
  if (rows != placedRows_ || columns != placedColumns_) {
    placedRows_ = rows;
    placedColumns_ = columns;
    for (int64_t i = 0; i < ceilDiv(rows * columns, kPlaces) * kPlaces; ++i) {
      const int64_t p = std::min(i, rows * columns - 1);
      places_[i] = p / columns * rowStep_ + p % columns * columnStep_;
    }
  }
  ConvColumns block;
  block.map = map_;
  block.offsets = offsets_;
  block.places = places_;
  block.positions = rows * columns;
  block.weights = weights;
  block.depth = channels * p_.shape.taps();
  block.weightPitch = p_.shape.inChannels / p_.shape.groups * p_.shape.taps() * kColumn;
  block.columns = static_cast<int>(strips);
  block.sums = sums_;
  block.pitch = plan_.sumPitch;
  block.resume = resume;
  block.ahead = ahead_;
  block.aheadLines = aheadLines_;
  convTile().multiplyColumns(block);
}

void ConvWorker::finishColumns(const ConvVisit& visit, int64_t firstChannel, int64_t channels) {
  const ConvBox& box = visit.box;
  const bool run = isRun(box);
  const int64_t rows = run ? 1 : box.size[1];
  const int64_t columns = run ? box.size[1] * box.size[2] : box.size[2];
  const MapSteps& steps = run ? end_.lines : end_.rows;
  const int64_t part = ceilDiv(ceilDiv(columns, ceilDiv(columns, kTurned)), kLine) * kLine;
  for (int64_t y = 0; y < rows; ++y) {
    for (int64_t first = 0; first < columns; first += part) {
      const int64_t n = std::min(part, columns - first);
      MapPlace at{visit.b, firstChannel, box.first[0], box.first[1] + y, box.first[2] + first};
      if (run) {
        at = {visit.b, firstChannel, 0, 0,
              (box.first[0] * plan_.out[1] + box.first[1]) * plan_.out[2] + first};
      }
      const float* sums = sums_ + (y * columns + first) * plan_.sumPitch;
      for (int64_t c = 0; c < channels; c += kColumn) {
        const int64_t count = std::min<int64_t>(kColumn, channels - c);
        copy().tile(sums + c, 1, plan_.sumPitch, turned_, kTurned, 1, count, n);
        for (int64_t i = 0; i < count; ++i, ++at.c) {
          steps.apply(at, turned_ + i * kTurned, turned_ + i * kTurned, n, buffer_);
        }
      }
    }
  }
}

void ConvWorker::ask(const FeatureMap& map, int64_t b, int64_t firstChannel, int64_t channels,
                     const int64_t* first, const int64_t* end) {
  int64_t rows = end[1] - first[1], floats = end[2] - first[2];
  if (map.stride[2] != 1 || rows <= 0 || floats <= 0) return;
  if (map.stride[1] == floats) {
    floats *= rows;
    rows = 1;
  }
  const int64_t lines = (floats + kLine - 2) / kLine + 1;
  for (int64_t c = firstChannel; c < firstChannel + channels; ++c) {
    for (int64_t z = first[0]; z < end[0]; ++z) {
      const float* from = map.at(b, c, z, first[1], first[2]);
      for (int64_t y = 0; y < rows; ++y, from += map.stride[1]) {
        const int64_t count = std::min(lines, kMostAhead - aheadLines_);
        for (int64_t i = 0; i < count; ++i) ahead_[aheadLines_ + i] = from + i * kLine;
        aheadLines_ += count;
      }
    }
  }
}

void ConvWorker::askForInput(const ConvVisit& visit, int64_t firstChannel, int64_t channels) {
  const ConvShape& s = p_.shape;
  const FeatureMap& x = p_.x;
  int64_t first[3], end[3];
  for (int axis = 0; axis < 3; ++axis) {
    const int64_t from = visit.box.first[axis] * s.stride[axis] - s.padding[axis];
    const int64_t reach = (s.kernel[axis] - 1) * s.dilation[axis];
    first[axis] = std::max<int64_t>(from, 0);
    end[axis] =
        std::min(from + (visit.box.size[axis] - 1) * s.stride[axis] + reach + 1, x.size[axis]);
  }
  ask(x, visit.b, firstChannel, channels, first, end);
}

void ConvWorker::askForOutput(const ConvVisit& visit, int64_t firstChannel, int64_t channels) {
  const ConvBox& box = visit.box;
  const int64_t end[] = {box.first[0] + 1, box.first[1] + box.size[1], box.first[2] + box.size[2]};
  for (const MapStep& step : p_.steps) {
    if (step.kind == MapStep::Kind::kAffine) continue;
    ask(step.map.spread(), visit.b, firstChannel, channels, box.first, end);
  }
}

void ConvWorker::compute(const ConvVisit& visit, int64_t firstStrip, int64_t endStrip,
                         const ConvVisit* next) {
  const int64_t ins = p_.shape.inChannels / p_.shape.groups;
  const int64_t outs = p_.shape.outChannels / p_.shape.groups;
  const int64_t depth = ins * p_.shape.taps(), strip = stripChannels(p_.shape);
  const auto& [box, b, group] = visit;
  const int64_t positions = (box.size[1] - 1) * plan_.pitch + box.size[2];
  const float* weights = p_.weights + group * ceilDiv(outs, strip) * strip * depth;
  for (int64_t at = firstStrip; at < endStrip; at += plan_.partStrips) {
    const int64_t strips = std::min(plan_.partStrips, endStrip - at);
    const int64_t first = at * strip, channels = std::min(strips * strip, outs - first);
    const float* part = weights + first * depth;
    for (int64_t c = 0; c < ins; c += plan_.chunkChannels) {
      const int64_t chunk = std::min(plan_.chunkChannels, ins - c);
      const float* from = part + c * p_.shape.taps() * strip;
      provide(visit, group * ins + c, chunk);
      if (plan_.rowsOfOne) {
        multiplyRows(box, from, chunk, c > 0);
        continue;
      }
      aheadLines_ = 0;
      const int64_t then = c + chunk;
      if (then < ins) {
        askForInput(visit, group * ins + then, std::min(plan_.chunkChannels, ins - then));
      } else if (at + strips >= endStrip && next && !next->readsAs(visit)) {
        askForInput(*next, next->group * ins, plan_.chunkChannels);
      }
      // A share of the output with every chunk.
      const int64_t begin = channels * c / ins, end = channels * then / ins;
      askForOutput(visit, group * outs + first + begin, end - begin);
      if (plan_.columnsOfChannels) {
        multiplyColumns(box, from, strips, chunk, c > 0);
      } else {
        multiply(positions, from, channels, chunk, c > 0);
      }
    }
    if (plan_.columnsOfChannels) {
      finishColumns(visit, group * outs + first, channels);
    } else {
      finish(visit, group * outs + first, channels);
    }
  }
}

}  // namespace fovea
