#include "engine/maps/pool.h"

#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "kernels/maps/poolPlane.h"

namespace fovea {

namespace {

// Elements of the input that make a task: a few tens of microseconds.
constexpr int64_t kTaskElements = 65536;

}  // namespace

void maxPool(const Call& call, const PoolShape& shape, const FeatureMap& x, const FeatureMap& out) {
  const int64_t planes = x.batch * x.channels * x.size[0];
  if (planes * out.size[1] * out.size[2] == 0) return;
  PoolPlane plane;
  plane.rowStride = x.stride[1];
  plane.columnStride = x.size[2] == 1 ? 1 : x.stride[2];
  plane.height = x.size[1];
  plane.width = x.size[2];
  plane.columns = out.size[2];
  plane.toRowStride = out.stride[1];
  plane.toColumnStride = out.size[2] == 1 ? 1 : out.stride[2];
  for (int axis = 0; axis < 2; ++axis) {
    // What every window has beyond the map, in front or behind, is left out: sizes are then the
    // map's.
    const int64_t size = x.size[1 + axis], last = out.size[1 + axis] - 1;
    const int64_t stride = last == 0 ? 1 : shape.stride[axis];
    const int64_t front = std::max<int64_t>(shape.padding[axis] - last * stride, 0);
    plane.stride[axis] = stride;
    plane.padding[axis] = shape.padding[axis] - front;
    plane.kernel[axis] = std::min(shape.kernel[axis] - front, size + plane.padding[axis]);
  }
  const PoolBuffers buffers = poolBuffers(plane);
  // Whole planes together, or rows of a large one.
  const int64_t area = x.size[1] * x.size[2];
  const int64_t taskPlanes = std::clamp<int64_t>(kTaskElements / area, 1, planes);
  const int64_t pieces = std::clamp<int64_t>(area / kTaskElements, 1, out.size[1]);
  const int64_t rows = ceilDiv(out.size[1], pieces);
  const int64_t parts = ceilDiv(out.size[1], rows);
  const int64_t tasks = ceilDiv(planes, taskPlanes);
  const auto max = pool().max;
  parallelFor(call, tasks * parts, [&](int64_t task, Scratch& scratch) {
    PoolPlane p = plane;
    p.line = scratch.floats(buffers.line);
    p.phases = scratch.floats(buffers.phases);
    p.result = scratch.floats(buffers.result);
    p.phasePitch = buffers.phase;
    p.firstRow = task % parts * rows;
    p.rows = std::min(rows, out.size[1] - p.firstRow);
    const int64_t end = std::min((task / parts + 1) * taskPlanes, planes);
    for (int64_t i = task / parts * taskPlanes; i < end; ++i) {
      const int64_t z = i % x.size[0], c = i / x.size[0] % x.channels,
                    b = i / x.size[0] / x.channels;
      p.from = x.at(b, c, z, 0, 0);
      p.to = out.at(b, c, z, p.firstRow, 0);
      max(p);
    }
  });
}

}  // namespace fovea
