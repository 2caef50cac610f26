#include "engine/attention/softmaxWeights.h"

#include <algorithm>

#include "engine/matrix/gemm.h"
#include "kernels/matrix/rows.h"

namespace fovea {

void softmaxWeights(const SoftmaxWeights& s, int64_t first, int64_t count, float* weights,
                    Scratch& scratch) {
  GemmProblem p;
  p.rows = count;
  p.columns = s.keys;
  p.depth = s.depth;
  p.a.matrix = MatrixRows(s.query.row(first), s.query.stride(), s.query.step());
  p.b.matrix = s.key;
  p.epilogue.scale = s.scale;
  p.c = MatrixRows(weights, s.keys, 1);
  gemmBlock(p, {0, count}, {0, s.keys}, scratch);
  for (int64_t i = 0; i < count; ++i)
    softmaxVisible(weights + i * s.keys, s.keys, s.visible(first + i));
}

void softmaxVisible(float* row, int64_t keys, Interval seen) {
  std::fill(row, row + seen.begin, 0.0f);
  std::fill(row + seen.end, row + keys, 0.0f);
  if (seen.begin < seen.end)
    rows().softmax(row + seen.begin, row + seen.begin, seen.end - seen.begin);
}

}  // namespace fovea
