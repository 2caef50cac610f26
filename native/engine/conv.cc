#include "engine/conv.h"

#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "engine/convBox.h"
#include "engine/convPlan.h"
#include "kernels/pack.h"

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
  parallelFor(call, tasks, [&](int64_t task, Scratch& scratch) {
    ConvWorker worker(p, plan, end, scratch);
    const int64_t part = task % plan.stripTasks;
    task /= plan.stripTasks;
    const int64_t firstGroup = task % plan.groupTasks * plan.taskGroups;
    const int64_t groups = std::min(plan.taskGroups, p.shape.groups - firstGroup);
    const int64_t firstPiece = task / plan.groupTasks * plan.taskBoxes;
    const int64_t visits = std::min(plan.taskBoxes, pieces - firstPiece) * groups;
    const auto visitOf = [&](int64_t i) {
      const int64_t piece = firstPiece + i / groups;
      return ConvVisit{plan.box(piece % boxes), piece / boxes, firstGroup + i % groups};
    };
    for (int64_t i = 0; i < visits; ++i) {
      const ConvVisit visit = visitOf(i), next = visitOf(std::min(i + 1, visits - 1));
      worker.compute(visit, part * plan.taskStrips,
                     std::min((part + 1) * plan.taskStrips, plan.strips),
                     i + 1 < visits ? &next : nullptr);
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
