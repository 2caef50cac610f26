// A softmax down the columns of a panel, which lie in the lanes.
#pragma once
#include <cstdint>

#include "kernels/matrix/pack.h"

namespace fovea {

struct PanelSoftmax {
  // In place: panel[i][j] = softmax over i of byRow[i] byColumn[j] panel[i][j], i < rows,
  // j < kPanel; byColumn holds a factor log2(e). NaN everywhere in a column that has one. An
  // exponential errs by 3 ulp, a sum by what float32 does. Three readings of the panel; about 15
  // instructions a vector with AVX-512.
  void (*columns)(const float* byRow, const float* byColumn, int64_t rows, float* panel);
};

const PanelSoftmax& panelSoftmax();

}  // namespace fovea
