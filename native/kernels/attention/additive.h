// Scores of additive attention, from projected queries and keys, in units of 2 log2(e):
//   score[i, j] = sum_a v[a] tanh(x),   tanh(x) = (E - 1) / (E + 1),   E = 2^(query[i, a] + key[j,
//   a])
//
// Two channels share a division: (v1 (E1 - 1) (E2 + 1) + v2 (E2 - 1) (E1 + 1)) / ((E1 + 1) (E2 +
// 1)). A term is off by at most 5 ulp of 1 times |v|, whatever the magnitude of queries and keys,
// as long as |v| < 2^75. Exponents end at 26, where the tangent is 1 to the last bit.
//
// Keys lie in the lanes, nothing is summed across them. Cost of 16 terms with AVX-512: about 16
// instructions and half a division.
#pragma once
#include <cstdint>

#include "kernels/matrix/pack.h"

namespace fovea {

struct AdditiveBlock {
  int64_t channels = 0;            // even
  const float* queries = nullptr;  // [rows][queryStride]
  int64_t rows = 0, queryStride = 0;
  const float* keys = nullptr;  // panel [channels][kPanel]
  int columns = 0;              // keys of it, 1 .. kPanel
  const float* v = nullptr;     // [channels]
  float* scores = nullptr;      // [rows][scoreStride], `columns` of each are written
  int64_t scoreStride = 0;
};

struct Additive {
  void (*scores)(const AdditiveBlock&);
};

const Additive& additive();

}  // namespace fovea
