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

// n elements `step` apart, to adjacent ones.
inline void copyLine(const float* from, int64_t step, float* to, int64_t n) {
  copy().tile(from, 0, step, to, 0, 1, 1, n);
}

// The same elements where they lie if they are adjacent, else copied to `buffer`.
inline const float* adjacent(const float* from, int64_t step, int64_t n, float* buffer) {
  if (step == 1 || n <= 1) return from;
  copyLine(from, step, buffer, n);
  return buffer;
}

}  // namespace fovea
