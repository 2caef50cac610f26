// Squared distances between rows and a panel of centroids, by their differences: exact where both
// are far from the origin, which |x|^2 - 2 x.c + |c|^2 is not.
#pragma once
#include <cstdint>

#include "kernels/matrix/pack.h"

namespace fovea {

struct Distance {
  // squares[i * kPanel + j] = sum_k (rows[i * depth + k] - panel[k * kPanel + j])^2 for i < count,
  // j < kPanel, in ascending k. Two instructions for a vector of centroids and a step of k.
  void (*squares)(const float* rows, int64_t count, int64_t depth, const float* panel,
                  float* squares);
};

const Distance& distance();

}  // namespace fovea
