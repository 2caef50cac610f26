// Matrix products: C = epilogue(A B), A [rows, depth], B [depth, columns], from and to any layout.
// The engine of linear layers, of the projections in attention blocks, and of convolutions.
//
//   GemmProblem p;
//   p.rows = 4096, p.depth = 768, p.columns = 3072;
//   p.a.matrix = MatrixRows(x);                // read where it lies, or packed as it is needed
//   p.b.panels = panels;                       // the weight, packed by packPanels
//   p.epilogue.bias = bias;
//   p.c = MatrixRows(out);
//   gemm(call, p);                             // a parallel schedule of its own, or
//   gemmBlock(p, {0, 64}, {0, 480}, scratch);  // a part, inside a parallelFor body
//
// The bits of an element depend on its row of A, its column of B and the epilogue alone: not on the
// other rows and columns, on any layout, on what was packed when, or on the schedule.
#pragma once
#include <cstdint>

#include "core/call.h"
#include "core/ceilDiv.h"
#include "core/scratch.h"
#include "engine/matrix/matrixRows.h"
#include "kernels/matrix/gemmTile.h"
#include "kernels/matrix/pack.h"

namespace fovea {

// Packs what is no matrix in memory (the patches of a convolution), piece by piece:
//   packed[k - begin][j] = element k of row `first + j`     0 <= j < count, begin <= k < begin +
//   depth
// with kStrip floats a step of k for operand A, kPanel for operand B. Floats behind `count` must be
// written, with any numbers. Called on every thread of the call, maybe repeatedly for one piece.
struct GemmSource {
  void (*fill)(const void* context, int64_t first, int count, int64_t begin, int64_t depth,
               float* packed) = nullptr;
  const void* context = nullptr;

  explicit operator bool() const { return fill != nullptr; }
};

// Operand A by its rows. Exactly one of the three is given.
struct GemmRows {
  const float* strips = nullptr;  // [ceil(rows / kStrip)][depth][kStrip], by packStrips
  MatrixRows matrix;
  GemmSource source;
};

// Operand B by its columns. Exactly one of the three is given.
struct GemmColumns {
  const float* panels = nullptr;  // [ceil(columns / kPanel)][depth][kPanel], by packPanels
  MatrixRows matrix;              // row j is column j of B: a weight [out, in] as it is
  GemmSource source;
};

// Takes finished elements, epilogue included, in tiles [rows][kPanel] that it may overwrite: rows
// [row, row + rows), columns [column, column + columns) of C. Every element comes once, on any
// thread.
struct GemmSink {
  void (*take)(const void* context, int64_t row, int64_t rows, int64_t column, int columns,
               float* tile) = nullptr;
  const void* context = nullptr;

  explicit operator bool() const { return take != nullptr; }
};

struct GemmProblem {
  int64_t rows = 0, columns = 0, depth = 0;  // any of them may be 0
  GemmRows a;
  GemmColumns b;
  GemmEpilogue epilogue;
  MatrixRows residual;  // [rows, columns] or none; the very elements of C are allowed
  // Where the result goes: one of the two. C shares no element with A or B.
  MatrixRows c;
  GemmSink sink;
};

struct GemmRange {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

// All of C, in parallel. Scratch: at most 3.3 MB a thread, and where more than 1024 rows meet a
// matrix B, that matrix packed. Otherwise an operand that is not packed beforehand is packed again
// by every task that meets it.
void gemm(const Call& call, const GemmProblem& problem);

// A part of C on the calling thread: rows.begin is a multiple of kStrip, columns.begin of kPanel.
void gemmBlock(const GemmProblem& problem, GemmRange rows, GemmRange columns, Scratch& scratch);

// Packs a whole operand in parallel: `count` rows of a matrix, `depth` elements each.
void packPanels(const Call& call, const MatrixRows& matrix, int64_t count, int64_t depth,
                float* panels);
void packStrips(const Call& call, const MatrixRows& matrix, int64_t count, int64_t depth,
                float* strips);

// The floats of a packed operand.
inline int64_t panelFloats(int64_t columns, int64_t depth) {
  return ceilDiv(columns, kPanel) * kPanel * depth;
}
inline int64_t stripFloats(int64_t rows, int64_t depth) {
  return ceilDiv(rows, kStrip) * kStrip * depth;
}

}  // namespace fovea
