#include "engine/crossCovariance.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "engine/gemm.h"
#include "kernels/rows.h"

namespace fovea {

namespace {

// 1 / max(norm of each channel over the tokens, eps). Runs of tokens are summed as float32 and the
// runs as float64, so that many tokens cost no accuracy.
void inverseNorms(const MatrixRows& x, int64_t tokens, int64_t channels, double eps, float* to,
                  Scratch& scratch) {
  constexpr int64_t kRun = 64;
  const Scratch::Scope scope(scratch);
  auto* sums =
      reinterpret_cast<double*>(scratch.bytes(channels * static_cast<int64_t>(sizeof(double))));
  float* run = scratch.floats(channels);
  float* gathered = x.step() == 1 ? nullptr : scratch.floats(channels);
  std::fill(sums, sums + channels, 0.0);
  for (int64_t first = 0; first < tokens; first += kRun) {
    std::fill(run, run + channels, 0.0f);
    for (int64_t n = first; n < std::min(first + kRun, tokens); ++n) {
      const float* row = x.row(n);
      if (gathered) {
        for (int64_t c = 0; c < channels; ++c) gathered[c] = row[c * x.step()];
        row = gathered;
      }
      rows().addSquares(row, run, channels);
    }
    for (int64_t c = 0; c < channels; ++c) sums[c] += run[c];
  }
  for (int64_t c = 0; c < channels; ++c)
    to[c] = static_cast<float>(1 / std::max(std::sqrt(sums[c]), eps));
}

// Columns of a matrix as rows: of D x N out of N x D.
MatrixRows transposed(const MatrixRows& x) { return MatrixRows(x.row(0), x.step(), x.stride()); }

}  // namespace

void crossCovariance(const Call& call, int64_t batch, int64_t heads, int64_t tokens,
                     int64_t channels, double eps,
                     FunctionRef<CrossCovarianceHead(int64_t, int64_t)> headOf) {
  if (tokens == 0) return;
  parallelFor(call, batch * heads, [&](int64_t index, Scratch& scratch) {
    const CrossCovarianceHead head = headOf(index / heads, index % heads);
    float* queryNorms = scratch.floats(channels);
    float* keyNorms = scratch.floats(channels);
    float* weights = scratch.floats(channels * channels);
    inverseNorms(head.query, tokens, channels, eps, queryNorms, scratch);
    inverseNorms(head.key, tokens, channels, eps, keyNorms, scratch);

    GemmProblem covariance;
    covariance.rows = covariance.columns = channels;
    covariance.depth = tokens;
    covariance.a.matrix = transposed(head.query);
    covariance.b.matrix = transposed(head.key);
    covariance.c = MatrixRows(weights, channels, 1);
    gemmBlock(covariance, {0, channels}, {0, channels}, scratch);
    for (int64_t c = 0; c < channels; ++c) {
      float* row = weights + c * channels;
      const float by = head.temperature * queryNorms[c];
      for (int64_t e = 0; e < channels; ++e) row[e] *= by * keyNorms[e];
      rows().softmax(row, row, channels);
    }

    GemmProblem mix;
    mix.rows = tokens;
    mix.columns = mix.depth = channels;
    mix.a.matrix = head.value;
    mix.b.matrix = MatrixRows(weights, channels, 1);
    mix.c = head.out;
    gemmBlock(mix, {0, tokens}, {0, channels}, scratch);
  });
}

}  // namespace fovea
