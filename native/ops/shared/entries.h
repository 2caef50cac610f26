// Batch entries, or the segments of a ragged batch: runs of rows that make problems of their own.
#pragma once
#include <algorithm>

#include "core/tensor.h"

namespace fovea {

// Rows [first, first + length) of batch entry b.
struct Entry {
  int64_t b, first, length;
};

class Entries {
 public:
  // The entries of a tensor [B, H, L, D] or, where `ends` is there, what lies between them.
  Entries(const Tensor& tensor, const Tensor& ends)
      : ends_(ends), batch_(tensor.shape[0]), length_(tensor.shape[2]) {}
  bool ragged() const { return static_cast<bool>(ends_); }
  int64_t count() const { return ends_ ? ends_.shape[0] - 1 : batch_; }
  Entry operator[](int64_t e) const {
    if (!ends_) return {e, 0, length_};
    const int64_t first = end(e);
    return {0, first, end(e + 1) - first};
  }
  int64_t longest() const {
    int64_t n = ends_ ? 0 : length_;
    for (int64_t e = 0; ends_ && e < count(); ++e) n = std::max(n, (*this)[e].length);
    return n;
  }
  int64_t shortest() const {
    int64_t n = length_;
    for (int64_t e = 0; ends_ && e < count(); ++e) n = std::min(n, (*this)[e].length);
    return n;
  }

 private:
  int64_t end(int64_t e) const { return ends_.ints()[e * ends_.strides[0]]; }

  const Tensor& ends_;
  int64_t batch_, length_;
};

}  // namespace fovea
