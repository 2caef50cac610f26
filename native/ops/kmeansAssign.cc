// The nearest centroid of each row; see lib/ops/kmeansAssign.ts.
#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "core/registry.h"
#include "engine/attention/centroids.h"
#include "engine/matrix/gemm.h"

namespace fovea {

namespace {

enum Slot { kX, kCentroids, kAssignments, kDistances };
enum Param { kMetric, kNormalize };
enum Metric { kDot, kEuclidean };

void run(const Call& call) {
  const Tensor &x = call.tensor(kX), &centroids = call.tensor(kCentroids);
  const Tensor &assignments = call.tensor(kAssignments), &distances = call.tensor(kDistances);
  const int64_t rows = x.shape[0], depth = x.shape[1], count = centroids.shape[0];
  if (rows == 0) return;
  Scratch& shared = Scratch::ofThread();
  const Scratch::Scope scope(shared);
  float* panels = shared.floats(panelFloats(count, depth));
  packPanels(call, MatrixRows(centroids), count, depth, panels);
  const CentroidSearch search{panels, count, depth, call.integer(kMetric) == kEuclidean,
                              call.flag(kNormalize)};
  const MatrixRows points(x);
  parallelFor(call, ceilDiv(rows, kSearchRows), [&](int64_t task, Scratch& scratch) {
    const int64_t first = task * kSearchRows, many = std::min(kSearchRows, rows - first);
    int32_t best[kSearchRows];
    float score[kSearchRows];
    nearestCentroids(search, points, first, many, best, score, scratch);
    for (int64_t i = 0; i < many; ++i) {
      assignments.ints()[(first + i) * assignments.strides[0]] = best[i];
      distances.floats()[(first + i) * distances.strides[0]] = score[i];
    }
  });
}

double flops(const Call& call) {
  return 2.0 * static_cast<double>(call.tensor(kX).size() * call.tensor(kCentroids).shape[0]);
}

const Register registered({"kmeansAssign", run, flops});

}  // namespace

}  // namespace fovea
