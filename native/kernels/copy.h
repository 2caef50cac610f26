// Copies between layouts.
#pragma once
#include <cstdint>

namespace fovea {

struct Copy {
  // to[i toRow + j toColumn] = from[i fromRow + j fromColumn], i < rows, j < columns. Any strides;
  // the two may not overlap. Where each side has a stride of 1, vectors are loaded and stored, if
  // need be transposed in registers; otherwise element by element.
  void (*tile)(const float* from, int64_t fromRow, int64_t fromColumn, float* to, int64_t toRow,
               int64_t toColumn, int64_t rows, int64_t columns);
};

const Copy& copy();

}  // namespace fovea
