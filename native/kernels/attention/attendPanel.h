// What a panel of 48 queries needs beside the attention tile: its results, brought out of the
// lanes.
#pragma once
#include <cstdint>

#include "kernels/matrix/pack.h"

namespace fovea {

struct AttendPanel {
  // out[i][c * inner] = acc[c][i] / sums[i] for i < count; a query that saw no key gets 0. With
  // sinks (units of log2, null for none) the denominator has the further term exp2(sink). lse[i],
  // where lse is not null, is the natural logarithm of the denominator, -inf where nothing was
  // seen.
  void (*finish)(const float* acc, const float* shift, const float* sums, const float* sinks,
                 int count, int valueDepth, float* const* out, int64_t inner, float* lse);
  // Whether every element of the rows is finite.
  bool (*finite)(const float* const* rows, int count, int depth);
};

const AttendPanel& attendPanel();

}  // namespace fovea
