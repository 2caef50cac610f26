#include "engine/matrix/matrixRows.h"

namespace fovea {

MatrixRows::MatrixRows(const Tensor& tensor)
    : data_(tensor.floats()),
      step_(tensor.strides[tensor.rank - 1]),
      shape_(tensor.shape),
      strides_(tensor.strides) {
  // Axes of size 1 say nothing; the others make one stride where each continues the one behind it.
  bool seen = false;
  int64_t continued = 0;
  for (int axis = tensor.rank - 2; axis >= 0; --axis) {
    if (shape_[axis] == 1) continue;
    if (!seen) {
      stride_ = strides_[axis];
    } else if (strides_[axis] != continued) {
      rank_ = tensor.rank - 1;
      return;
    }
    seen = true;
    continued = strides_[axis] * shape_[axis];
  }
}

int64_t MatrixRows::offset(int64_t i) const {
  int64_t offset = 0;
  for (int axis = rank_ - 1; axis >= 0; --axis) {
    offset += i % shape_[axis] * strides_[axis];
    i /= shape_[axis];
  }
  return offset;
}

}  // namespace fovea
