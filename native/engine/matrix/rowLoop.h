// The loop of every operation that treats a tensor row by row, or element by element, whatever the
// layouts of its input and output.
#pragma once
#include <cstdint>
#include <type_traits>

#include "core/call.h"

namespace fovea {

using RowFunction = void (*)(void* context, const float* x, float* y, int64_t n);

enum class RowKind : uint8_t {
  kWhole,    // the function sees each row along the last axis, whole
  kElements  // it treats elements one by one: it sees them in any runs and any order
};

void forEachRowImpl(const Call& call, const Tensor& x, const Tensor& out, RowKind kind,
                    RowFunction function, void* context);

// Calls function(x, y, n) for the rows of `x` and `out`, which have the same shape, with x and y
// contiguous and never overlapping but where they are one and the same. Rows are visited in the
// order in which x lies in memory. Where the elements of a row are not adjacent, up to 16 rows at a
// time pass through scratch: at most 64 Ki floats or one row, whichever is more, for each thread.
template <class Function>
void forEachRow(const Call& call, const Tensor& x, const Tensor& out, RowKind kind,
                Function&& function) {
  using Plain = std::remove_reference_t<Function>;
  forEachRowImpl(
      call, x, out, kind,
      [](void* context, const float* from, float* to, int64_t n) {
        (*static_cast<Plain*>(context))(from, to, n);
      },
      const_cast<void*>(static_cast<const void*>(&function)));
}

}  // namespace fovea
