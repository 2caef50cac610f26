#include "engine/maps/conv.h"

#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "engine/maps/convBox.h"
#include "engine/maps/convPlan.h"
#include "kernels/matrix/pack.h"

namespace fovea {

void conv(const Call& call, const ConvProblem& problem) {
  ConvProblem p = problem;
  ConvEnd end(p);
  int64_t step;
  if (isPointwise(p.shape) && end.areLines && p.x.isLine(step)) {
    p.x = p.x.line(step);
    end.rows = end.lines;
  }
  const ConvPlan plan(p.shape, p.x, p.input.affine || p.input.relu);
  const int64_t boxes = plan.boxes(), pieces = p.x.batch * boxes;
  const int64_t tasks = plan.boxTasks * plan.groupTasks * plan.stripTasks;
  // Visits of a task: to its boxes in turn and, in each, to its groups.
  const auto boxesOf = [&](int64_t task) { return task / plan.stripTasks / plan.groupTasks; };
  const auto firstGroup = [&](int64_t task) {
    return task / plan.stripTasks % plan.groupTasks * plan.taskGroups;
  };
  const auto groupsOf = [&](int64_t task) {
    return std::min(plan.taskGroups, p.shape.groups - firstGroup(task));
  };
  const auto visitOf = [&](int64_t task, int64_t i) {
    const int64_t groups = groupsOf(task), piece = boxesOf(task) * plan.taskBoxes + i / groups;
    return ConvVisit{plan.box(piece % boxes), piece / boxes, firstGroup(task) + i % groups};
  };
  parallelFor(call, tasks, [&](int64_t task, Scratch& scratch) {
    ConvWorker worker(p, plan, end, scratch);
    const int64_t firstStrip = task % plan.stripTasks * plan.taskStrips;
    const int64_t endStrip = std::min(firstStrip + plan.taskStrips, plan.strips);
    const int64_t visits =
        std::min(plan.taskBoxes, pieces - boxesOf(task) * plan.taskBoxes) * groupsOf(task);
    // Threads take tasks in their order, hence probably turns.
    const int64_t then = task + call.threads;
    for (int64_t i = 0; i < visits; ++i) {
      const bool last = i + 1 == visits;
      const ConvVisit next = !last ? visitOf(task, i + 1) : visitOf(std::min(then, tasks - 1), 0);
      worker.compute(visitOf(task, i), firstStrip, endStrip,
                     !last || then < tasks ? &next : nullptr);
    }
  });
}

int64_t convPackedFloats(const ConvShape& shape) {
  const int64_t outs = shape.outChannels / shape.groups, strip = stripChannels(shape);
  return shape.groups * ceilDiv(outs, strip) * strip * (shape.inChannels / shape.groups) *
         shape.taps();
}

void packConv(const Call& call, const ConvShape& shape, const Tensor& weight, float* packed) {
  const int64_t ins = shape.inChannels / shape.groups, outs = shape.outChannels / shape.groups;
  const int64_t depth = ins * shape.taps(), width = stripChannels(shape);
  const int64_t strips = ceilDiv(outs, width);
  const auto packStrip = width == kColumn ? pack().column : pack().strip;
  if (depth == 0) return;
  // The elements of one output channel: contiguous, or brought together.
  bool contiguous = true;
  for (int64_t axis = weight.rank - 1, step = 1; axis > 0; step *= weight.shape[axis--]) {
    contiguous = contiguous && (weight.shape[axis] == 1 || weight.strides[axis] == step);
  }
  parallelFor(call, shape.groups * strips, [&](int64_t strip, Scratch& scratch) {
    const int64_t first = strip % strips * width;
    const int count = static_cast<int>(std::min(width, outs - first));
    float* gathered = contiguous ? nullptr : scratch.floats(width * depth);
    const float* rows[kColumn];
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
    packStrip(rows, 1, count, depth, 1.0f, packed + strip * width * depth);
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
