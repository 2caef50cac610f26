// Searching centroids: which of them is nearest to a row. Of equal scores the first centroid wins,
// and a NaN ranks behind every number.
#pragma once
#include <cstdint>

#include "core/scratch.h"
#include "engine/matrix/matrixRows.h"

namespace fovea {

// What the norm of a row is at least taken for, where rows are normalised.
inline constexpr double kLeastNorm = 1e-12;

struct CentroidSearch {
  const float* panels = nullptr;  // [ceil(count / kPanel)][depth][kPanel], by packPanels
  int64_t count = 0, depth = 0;   // both at least 1
  bool euclidean = false;         // the smallest distance instead of the largest product
  bool normalize = false;         // rows are divided by their norms first
};

// Rows that are searched for together.
inline constexpr int64_t kSearchRows = 64;

// best[i] and score[i], its product or distance, for rows [first, first + count) of x, count <=
// kSearchRows; score may be null. Scratch: 64 rows and 12 KB.
void nearestCentroids(const CentroidSearch& search, const MatrixRows& x, int64_t first,
                      int64_t count, int32_t* best, float* score, Scratch& scratch);

}  // namespace fovea
