#include "engine/attention/centroids.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/matrix/gemm.h"
#include "kernels/attention/distance.h"
#include "kernels/matrix/copy.h"
#include "kernels/matrix/rows.h"

namespace fovea {

namespace {

// Scores of all rows with one panel, the larger the better.
void scorePanel(const CentroidSearch& s, const float* rows, int64_t count, const float* panel,
                float* scores, Scratch& scratch) {
  if (s.euclidean) {
    distance().squares(rows, count, s.depth, panel, scores);
    for (int64_t n = 0; n < count * kPanel; ++n) scores[n] = -scores[n];
    return;
  }
  GemmProblem p;
  p.rows = count;
  p.depth = s.depth;
  p.columns = kPanel;
  p.a.matrix = MatrixRows(const_cast<float*>(rows), s.depth, 1);
  p.b.panels = panel;
  p.c = MatrixRows(scores, kPanel, 1);
  gemmBlock(p, {0, count}, {0, kPanel}, scratch);
}

}  // namespace

void nearestCentroids(const CentroidSearch& s, const MatrixRows& x, int64_t first, int64_t count,
                      int32_t* best, float* score, Scratch& scratch) {
  const Scratch::Scope scope(scratch);
  float* rowsOfX = scratch.floats(count * s.depth);
  float* scores = scratch.floats(count * kPanel);
  float highest[kSearchRows];
  for (int64_t i = 0; i < count; ++i) {
    float* row = rowsOfX + i * s.depth;
    copyLine(x.row(first + i), x.step(), row, s.depth);
    if (s.normalize) rows().normalize(row, kLeastNorm, row, s.depth);
    highest[i] = std::numeric_limits<float>::quiet_NaN();
    best[i] = 0;
  }
  for (int64_t from = 0; from < s.count; from += kPanel) {
    scorePanel(s, rowsOfX, count, s.panels + from * s.depth, scores, scratch);
    const int64_t columns = std::min<int64_t>(kPanel, s.count - from);
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        const float here = scores[i * kPanel + j];
        // Any number is better than a NaN.
        if (here <= highest[i] || here != here) continue;
        highest[i] = here;
        best[i] = static_cast<int32_t>(from + j);
      }
    }
  }
  for (int64_t i = 0; score && i < count; ++i)
    score[i] = s.euclidean ? std::sqrt(-highest[i]) : highest[i];
}

}  // namespace fovea
