// The weights of attention themselves, for those who ask for them: rows of [keys] floats. The
// result of attention never passes through them.
#pragma once
#include <cstdint>

#include "core/functionRef.h"
#include "core/scratch.h"
#include "engine/matrix/matrixRows.h"
#include "keysets/band.h"

namespace fovea {

struct SoftmaxWeights {
  int64_t keys = 0, depth = 0;
  MatrixRows query, key;
  float scale = 1;
  FunctionRef<Interval(int64_t row)> visible;
};

// Queries [first, first + count), to weights[i * keys + j]; keys that a query does not see get 0,
// and so do all keys of a query that sees none. Scratch: that of a matrix product.
void softmaxWeights(const SoftmaxWeights& problem, int64_t first, int64_t count, float* weights,
                    Scratch& scratch);

// The last step of it: scores of one query become weights, in place.
void softmaxVisible(float* row, int64_t keys, Interval seen);

}  // namespace fovea
