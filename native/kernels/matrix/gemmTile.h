// The inner product of all matrix products: a block of rows with one packed panel of columns.
//   C[i, j] = sum_k A[i, k] B[k, j]        i < rows, j < columns <= kPanel, k < depth
// Every element is one chain of fused multiply-adds in ascending k, whatever tile it falls into:
// its bits depend on its own row and column alone. Rows beside it may hold NaN, and a product cut
// into runs of k that continue from stored sums gives the bits of the whole.
#pragma once
#include <cstdint>

#include "kernels/matrix/activation.h"
#include "kernels/matrix/pack.h"

namespace fovea {

// What happens to a finished sum, in this order; the default is nothing:
//   x = scale * sum + bias;  x = activation(x);  x = gain * x + residual
struct GemmEpilogue {
  float scale = 1;
  Activation activation = Activation::kNone;
  bool alongRows = false;       // bias and gain have one element a row of C instead of one a column
  const float* bias = nullptr;  // contiguous, as gain
  const float* gain = nullptr;

  bool onlyBias() const { return scale == 1 && activation == Activation::kNone && !gain; }
};

// One run of k of a block of rows with a panel. All row numbers count from the block's first row.
struct GemmBlock {
  // A[i, k] = a[(i / kStrip) * aStrip + (i % kStrip) * aRow + k * aStep]: packed strips
  // ([strip][depth][kStrip]: aRow 1, aStep kStrip) or any matrix where it lies.
  const float* a;
  int64_t aStrip, aRow, aStep;
  // [depth][panelStep]: a packed panel, every column readable, or where `columns` is a multiple of
  // 16 a matrix where it lies.
  const float* panel;
  int64_t panelStep = kPanel;
  int64_t rows, depth;
  int columns;
  float* sums;  // [rows][kPanel]
  bool resume;  // continue from `sums` instead of 0
  // Null: the result goes to `sums`, all kPanel columns of it. Else to to[i][j], j < columns.
  float* const* to;
  const float* bias;  // added at the end, as GemmEpilogue has it; null: none
  bool biasAlongRows;
  // Where the next panel lies, to be on its way into L2 meanwhile; null where nobody knows.
  const float* ahead;
  bool far = false;  // panels come from memory, not from a cache
  // Where rows of A are neighbours (aRow is 1): memory to be on its way into L2 meanwhile,
  // soon[k * soonStep + i * soonRow] with the tile that begins at row i, the first of the two and
  // the second by turns of k and of strips; null: none.
  const float* soon[2] = {nullptr, nullptr};
  int64_t soonRow = 0;
  int64_t soonStep = 0;
};

// The epilogue on finished sums. to[i][j * toStep] for row i and column j of the block.
struct GemmFinish {
  float* sums;  // [rows][kPanel]
  int64_t rows;
  int columns;
  float scale;
  Activation activation;
  bool alongRows;
  const float* bias;  // of the block's first column (or row), or null
  const float* gain;
  const float* const* residual;  // rows like `to`, or null; may be the very same memory
  int64_t residualStep;
  float* const* to;  // null: back to `sums`
  int64_t toStep;
};

struct GemmTile {
  // Cost: 12 cycles for 8 rows and a step of k with AVX-512 (24 multiply-adds, 11 loads, 2
  // prefetches), which is the peak; about 60 cycles for 8 rows to begin and end. The panel is read
  // once for every tile of rows, 16 bytes a cycle, and streams well from L2; C is asked for while
  // its tile is computed.
  void (*multiply)(const GemmBlock&);
  void (*finish)(const GemmFinish&);
};

const GemmTile& gemmTile();

}  // namespace fovea
