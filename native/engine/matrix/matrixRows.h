// The rows of a matrix that lies anywhere in memory.
#pragma once
#include <cstdint>

#include "core/tensor.h"

namespace fovea {

class MatrixRows {
 public:
  MatrixRows() = default;
  // Row i at data + i * stride, its elements `step` apart.
  MatrixRows(float* data, int64_t stride, int64_t step)
      : data_(data), stride_(stride), step_(step) {}
  // A float32 tensor of rank >= 1: the leading axes, in row-major order, are the rows, the last
  // axis their elements. Keeps the tensor's shape and strides, which live as long as the call.
  explicit MatrixRows(const Tensor& tensor);

  explicit operator bool() const { return data_ != nullptr; }
  float* row(int64_t i) const { return data_ + (rank_ == 0 ? i * stride_ : offset(i)); }
  int64_t step() const { return step_; }
  // Whether row i lies at row(0) + i * stride() for every i.
  bool uniform() const { return rank_ == 0; }
  int64_t stride() const { return stride_; }

 private:
  int64_t offset(int64_t i) const;

  float* data_ = nullptr;
  int64_t stride_ = 0;
  int64_t step_ = 1;
  int rank_ = 0;  // of the rows, where their strides do not follow from one another; else 0
  const int64_t* shape_ = nullptr;
  const int64_t* strides_ = nullptr;
};

}  // namespace fovea
