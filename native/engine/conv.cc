#include "engine/conv.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "engine/convPlan.h"
#include "kernels/convPack.h"
#include "kernels/convTile.h"
#include "kernels/pack.h"

namespace fovea {

namespace {

// Rows narrower than this are brought together before the steps that end a convolution.
constexpr int64_t kNarrowRow = 64;

// The steps that end a convolution, for rows of the output or, where all of their maps keep their
// positions in a line, for all rows of a box together.
struct ConvEnd {
  explicit ConvEnd(const ConvProblem& p) : rows(p.steps), lines(p.steps), areLines(lines.isLine()) {
    if (areLines) lines.asLine();
  }
  MapSteps rows, lines;
  bool areLines;
};

// The calling thread's part of a convolution: one box of positions at a time.
class Box {
 public:
  Box(const ConvProblem& problem, const ConvPlan& plan, const ConvEnd& end, Scratch& scratch);
  // Output channels [firstStrip, endStrip) of a group, in strips of kStrip.
  void compute(const ConvBox& box, int64_t b, int64_t group, int64_t firstStrip, int64_t endStrip);

 private:
  void lay(const ConvBox& box, int64_t b, int64_t firstChannel, int64_t channels);
  void multiply(int64_t positions, const float* weights, int64_t strips, int64_t channels,
                bool resume);
  void finish(const ConvBox& box, int64_t b, int64_t firstChannel, int64_t channels);

  const ConvProblem& p_;
  const ConvPlan& plan_;
  const ConvEnd& end_;
  float* map_;        // [chunk of channels][plan.channelFloats], the input laid out
  int64_t* offsets_;  // of the taps of plan.blockChannels channels in it
  float* sums_;       // [part of the output channels][plan.sumPitch]
  float* buffer_;
  int64_t boxInMap_ = -1, batchInMap_ = -1, channelInMap_ = -1;
};

Box::Box(const ConvProblem& problem, const ConvPlan& plan, const ConvEnd& end, Scratch& scratch)
    : p_(problem), plan_(plan), end_(end) {
  map_ = scratch.floats(plan.chunkChannels * plan.channelFloats + plan.slackFloats);
  sums_ = scratch.floats(plan.partStrips * kStrip * plan.sumPitch);
  buffer_ = scratch.floats(plan.sumPitch);
  const int64_t taps = p_.shape.taps();
  offsets_ = reinterpret_cast<int64_t*>(
      scratch.bytes(plan.blockChannels * taps * static_cast<int64_t>(sizeof(int64_t))));
  int64_t* to = offsets_;
  for (int64_t c = 0; c < plan.blockChannels; ++c) {
    for (int64_t z = 0; z < p_.shape.kernel[0]; ++z) {
      for (int64_t y = 0; y < p_.shape.kernel[1]; ++y) {
        for (int64_t x = 0; x < p_.shape.kernel[2]; ++x) {
          *to++ = c * plan.channelFloats + plan.offset(z, y, x);
        }
      }
    }
  }
}

void Box::lay(const ConvBox& box, int64_t b, int64_t firstChannel, int64_t channels) {
  if (boxInMap_ == box.index && batchInMap_ == b && channelInMap_ == firstChannel) return;
  boxInMap_ = box.index;
  batchInMap_ = b;
  channelInMap_ = firstChannel;
  const ConvShape& s = p_.shape;
  const FeatureMap& x = p_.x;
  const auto plane = convPack().plane;
  ConvPlane to;
  to.rowStride = x.stride[1];
  to.columnStride = x.stride[2];
  to.height = x.size[1];
  to.width = x.size[2];
  to.ahead = x.channelStride;
  to.pitch = plan_.pitch;
  to.rows = box.size[1] + plan_.y.reach;
  to.columns = box.size[2] + plan_.x.reach;
  to.rowStep = s.stride[1];
  to.columnStep = s.stride[2];
  to.transforms = p_.input.affine || p_.input.relu;
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t channel = firstChannel + c;
    to.centre = p_.input.affine.centreOf(channel);
    to.scale = p_.input.affine.scaleOf(channel);
    to.shift = p_.input.affine.shiftOf(channel);
    to.least = p_.input.relu ? 0 : -std::numeric_limits<float>::infinity();
    to.to = map_ + c * plan_.channelFloats;
    for (int64_t kz = 0; kz < s.kernel[0]; ++kz) {
      const int64_t z = box.first[0] * s.stride[0] - s.padding[0] + kz * s.dilation[0];
      const bool inside = z >= 0 && z < x.size[0];
      to.from = inside ? x.at(b, channel, z, 0, 0) : nullptr;
      to.height = inside ? x.size[1] : 0;
      for (int64_t px = 0; px < plan_.x.planes; ++px) {
        to.column = box.first[2] * s.stride[2] - s.padding[2] + plan_.x.start(px);
        for (int64_t py = 0; py < plan_.y.planes; ++py) {
          to.row = box.first[1] * s.stride[1] - s.padding[1] + plan_.y.start(py);
          plane(to);
          to.to += plan_.planeFloats;
        }
      }
    }
  }
}

void Box::multiply(int64_t positions, const float* weights, int64_t strips, int64_t channels,
                   bool resume) {
  const int64_t taps = p_.shape.taps();
  const int64_t depth = p_.shape.inChannels / p_.shape.groups * taps;
  const int64_t outs = p_.shape.outChannels / p_.shape.groups;
  const auto multiply = convTile().multiply;
  ConvBlock block;
  block.offsets = offsets_;
  block.pitch = plan_.sumPitch;
  for (int64_t c = 0; c < channels; c += plan_.blockChannels) {
    block.depth = std::min(plan_.blockChannels, channels - c) * taps;
    block.resume = resume || c > 0;
    for (int64_t at = 0; at < positions; at += plan_.runPositions) {
      block.map = map_ + c * plan_.channelFloats + at;
      block.positions = std::min(plan_.runPositions, positions - at);
      for (int64_t strip = 0; strip < strips; ++strip) {
        block.rows = static_cast<int>(std::min(kStrip + int64_t{0}, outs - strip * kStrip));
        block.weights = weights + (strip * depth + c * taps) * kStrip;
        block.sums = sums_ + strip * kStrip * plan_.sumPitch + at;
        multiply(block);
      }
    }
  }
}

void Box::finish(const ConvBox& box, int64_t b, int64_t firstChannel, int64_t channels) {
  const int64_t rows = box.size[1], columns = box.size[2];
  const bool together = end_.areLines && columns == plan_.out[2] && columns < kNarrowRow;
  for (int64_t c = 0; c < channels; ++c) {
    float* sums = sums_ + c * plan_.sumPitch;
    MapPlace at{b, firstChannel + c, box.first[0], box.first[1], box.first[2]};
    if (together) {
      for (int64_t y = 1; y < rows && plan_.pitch != columns; ++y) {
        std::memmove(sums + y * columns, sums + y * plan_.pitch,
                     sizeof(float) * static_cast<size_t>(columns));
      }
      at = {b, at.c, 0, 0, (at.z * plan_.out[1] + at.y) * columns};
      end_.lines.apply(at, sums, sums, rows * columns, buffer_);
      continue;
    }
    for (int64_t y = 0; y < rows; ++y, ++at.y) {
      float* row = sums + y * plan_.pitch;
      end_.rows.apply(at, row, row, columns, buffer_);
    }
  }
}

void Box::compute(const ConvBox& box, int64_t b, int64_t group, int64_t firstStrip,
                  int64_t endStrip) {
  const int64_t ins = p_.shape.inChannels / p_.shape.groups;
  const int64_t outs = p_.shape.outChannels / p_.shape.groups;
  const int64_t depth = ins * p_.shape.taps();
  const int64_t positions = (box.size[1] - 1) * plan_.pitch + box.size[2];
  const float* weights = p_.weights + group * ((outs + kStrip - 1) / kStrip) * kStrip * depth;
  for (int64_t strip = firstStrip; strip < endStrip; strip += plan_.partStrips) {
    const int64_t strips = std::min(plan_.partStrips, endStrip - strip);
    const float* part = weights + strip * kStrip * depth;
    for (int64_t c = 0; c < ins; c += plan_.chunkChannels) {
      const int64_t channels = std::min(plan_.chunkChannels, ins - c);
      lay(box, b, group * ins + c, channels);
      multiply(positions, part + c * p_.shape.taps() * kStrip, strips, channels, c > 0);
    }
    const int64_t first = strip * kStrip;
    finish(box, b, group * outs + first, std::min(strips * kStrip, outs - first));
  }
}

}  // namespace

void conv(const Call& call, const ConvProblem& problem) {
  ConvProblem p = problem;
  ConvEnd end(p);
  int64_t step;
  if (isPointwise(p.shape) && end.areLines && p.x.isLine(step)) {
    p.x = p.x.line(step);
    end.rows = end.lines;
  }
  const ConvPlan plan(p.shape, p.x);
  const int64_t boxes = plan.boxes();
  const int64_t tasks = p.x.batch * boxes * plan.groupTasks * plan.stripTasks;
  parallelFor(call, tasks, [&](int64_t task, Scratch& scratch) {
    Box worker(p, plan, end, scratch);
    const int64_t part = task % plan.stripTasks;
    task /= plan.stripTasks;
    const int64_t groupTask = task % plan.groupTasks;
    task /= plan.groupTasks;
    const ConvBox box = plan.box(task % boxes);
    const int64_t endGroup = std::min((groupTask + 1) * plan.taskGroups, p.shape.groups);
    for (int64_t g = groupTask * plan.taskGroups; g < endGroup; ++g) {
      worker.compute(box, task / boxes, g, part * plan.taskStrips,
                     std::min((part + 1) * plan.taskStrips, plan.strips));
    }
  });
}

int64_t convPackedFloats(const ConvShape& shape) {
  const int64_t outs = shape.outChannels / shape.groups;
  return shape.groups * ((outs + kStrip - 1) / kStrip) * kStrip *
         (shape.inChannels / shape.groups) * shape.taps();
}

void packConv(const Call& call, const ConvShape& shape, const Tensor& weight, float* packed) {
  const int64_t ins = shape.inChannels / shape.groups, outs = shape.outChannels / shape.groups;
  const int64_t depth = ins * shape.taps();
  const int64_t strips = (outs + kStrip - 1) / kStrip;
  if (depth == 0) return;
  // The elements of one output channel: contiguous, or brought together.
  bool contiguous = true;
  for (int64_t axis = weight.rank - 1, step = 1; axis > 0; step *= weight.shape[axis--]) {
    contiguous = contiguous && (weight.shape[axis] == 1 || weight.strides[axis] == step);
  }
  parallelFor(call, shape.groups * strips, [&](int64_t strip, Scratch& scratch) {
    const int64_t first = strip % strips * kStrip;
    const int count = static_cast<int>(std::min<int64_t>(kStrip, outs - first));
    float* gathered = contiguous ? nullptr : scratch.floats(kStrip * depth);
    const float* rows[kStrip];
    for (int r = 0; r < count; ++r) {
      const float* row = weight.floats() + (strip / strips * outs + first + r) * weight.strides[0];
      rows[r] = row;
      if (contiguous) continue;
      float* to = gathered + r * depth;
      rows[r] = to;
      for (int64_t k = 0; k < depth; ++k) {
        int64_t at = 0, rest = k;
        for (int axis = weight.rank - 1; axis > 0; --axis) {
          at += rest % weight.shape[axis] * weight.strides[axis];
          rest /= weight.shape[axis];
        }
        *to++ = row[at];
      }
    }
    pack().strip(rows, 1, count, depth, 1.0f, packed + strip * kStrip * depth);
  });
}

double convFlops(const ConvShape& shape, const FeatureMap& x) {
  double flops = 2.0 * static_cast<double>(x.batch * shape.outChannels) *
                 static_cast<double>(shape.inChannels / shape.groups * shape.taps());
  for (int axis = 0; axis < 3; ++axis) {
    flops *= static_cast<double>(shape.outSize(axis, x.size[axis]));
  }
  return flops;
}

}  // namespace fovea
