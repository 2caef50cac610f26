// Cross-covariance attention of one head: the softmax runs over channels, its matrix is D x D.
//   A[c, e] = temperature sum_n q[n, c] k[n, e] / (max(|q_c|, eps) max(|k_e|, eps))
//   out[n, c] = sum_e softmax_e(A)[c, e] v[n, e]
#pragma once
#include <cstdint>

#include "core/call.h"
#include "core/functionRef.h"
#include "engine/matrix/matrixRows.h"

namespace fovea {

struct CrossCovarianceHead {
  MatrixRows query, key, value, out;  // [tokens, channels]
  float temperature = 1;
};

// A task a head. Scratch a thread: P (D + 6) + 6144 floats, P being D rounded up to whole panels,
// and that of a matrix product.
void crossCovariance(const Call& call, int64_t batch, int64_t heads, int64_t tokens,
                     int64_t channels, double eps,
                     FunctionRef<CrossCovarianceHead(int64_t b, int64_t h)> headOf);

}  // namespace fovea
