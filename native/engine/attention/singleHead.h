// Attention of one head a batch entry by products of queries and keys, never scaled: tensors [B, L,
// D].
#pragma once
#include <cstdint>

#include "core/call.h"
#include "core/functionRef.h"
#include "engine/matrix/matrixRows.h"
#include "keysets/band.h"

namespace fovea {

// The rows of batch entry b.
inline MatrixRows rowsOfEntry(const Tensor& t, int64_t b) {
  return MatrixRows(t.floats() + b * t.strides[0], t.strides[1], t.strides[2]);
}

struct SingleHead {
  Tensor query;    // [B, Lq, D]
  Tensor key;      // [B, Lk, D]
  Tensor value;    // [B, Lk, Dv]
  Tensor out;      // [B, Lq, Dv]
  Tensor weights;  // [B, Lq, Lk], or absent
  FunctionRef<Interval(int64_t b, int64_t i)> visible;
};

// Scratch: that of attention; 48 Lk floats a thread where weights are asked for.
void attendSingleHead(const Call& call, const SingleHead& x);

}  // namespace fovea
