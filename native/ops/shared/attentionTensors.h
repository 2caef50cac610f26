// Where queries, keys and results lie in tensors [B, H, L, ...], for the operations that hand
// problems to the attention engine.
#pragma once
#include "core/tensor.h"
#include "engine/attention/attend.h"

namespace fovea {

// Where row (b, h, i) of a tensor [B, H, L, ...] begins, in elements.
inline int64_t rowAt(const Tensor& t, int64_t b, int64_t h, int64_t i) {
  return b * t.strides[0] + h * t.strides[1] + i * t.strides[2];
}

// The rows (b, h, first), (b, h, first + step), ... of a tensor [B, H, L, D], as keys or values.
inline KeyRows keyRowsAt(const Tensor& t, int64_t b, int64_t h, int64_t first = 0,
                         int64_t step = 1) {
  return {t.at(rowAt(t, b, h, first)), t.strides[2] * step, t.strides[3], nullptr, t.dtype};
}

// A problem over tensors [..., D]: what its queries, values and results have in common. Its rows
// and keys are yet to be said.
inline AttendProblem problemOver(const Tensor& query, const Tensor& value, const Tensor& out,
                                 double scale) {
  AttendProblem p;
  p.depth = static_cast<int>(query.shape[query.rank - 1]);
  p.valueDepth = static_cast<int>(value.shape[value.rank - 1]);
  p.queryDtype = query.dtype;
  p.queryInner = query.strides[query.rank - 1];
  p.outInner = out.strides[out.rank - 1];
  p.scale = static_cast<float>(scale);
  return p;
}

// The query at (b, h, i), and its results there; `lse` may be absent.
inline void placeQuery(const Tensor& query, const Tensor& out, const Tensor& lse, int64_t b,
                       int64_t h, int64_t i, QueryRow& row) {
  row.query = query.at(rowAt(query, b, h, i));
  row.out = out.floats() + rowAt(out, b, h, i);
  if (lse) row.lse = lse.floats() + rowAt(lse, b, h, i);
}

}  // namespace fovea
