#include "engine/maps/mapPass.h"

#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "kernels/matrix/copy.h"

namespace fovea {

namespace {

// Positions of a channel that pass through the first-level cache together.
constexpr int64_t kRun = 4096;
// Elements that make a task, a few microseconds of memory traffic.
constexpr int64_t kTaskElements = 16384;

}  // namespace

void mapPass(const Call& call, const FeatureMap& map, std::span<const MapStep> given) {
  MapSteps steps(given);
  FeatureMap x = map;
  int64_t step;
  if (x.isLine(step) && steps.isLine()) {
    x = x.line(step);
    steps.asLine();
  }
  // Runs of a row are equal but for the last, and visited as they lie in memory.
  const int64_t width = x.size[2], rows = x.channels * x.size[0] * x.size[1];
  if (x.batch * rows * width == 0) return;
  const int64_t runs = ceilDiv(width, kRun);
  const int64_t run = std::min(ceilDiv(width, runs) + 15, width + 15) / 16 * 16;
  const int64_t pieces = rows * runs, taskPieces = std::max<int64_t>(kTaskElements / run, 1);
  const int64_t tasks = ceilDiv(pieces, taskPieces), all = x.batch * tasks;
  parallelFor(call, all, [&](int64_t index, Scratch& scratch) {
    const int64_t b = (all - 1 - index) / tasks, begin = (all - 1 - index) % tasks * taskPieces;
    float* values = scratch.floats(run);
    float* buffer = scratch.floats(run);
    for (int64_t piece = begin; piece < std::min(begin + taskPieces, pieces); ++piece) {
      const int64_t row = piece / runs, first = piece % runs * run;
      const int64_t n = std::min(run, width - first);
      if (n <= 0) continue;
      const int64_t y = row % x.size[1], z = row / x.size[1] % x.size[0];
      const MapPlace at{b, row / x.size[1] / x.size[0], z, y, first};
      const float* from = adjacent(x.at(b, at.c, z, y, first), x.stride[2], n, values);
      steps.apply(at, from, values, n, buffer);
    }
  });
}

}  // namespace fovea
