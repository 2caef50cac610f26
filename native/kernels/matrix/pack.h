// Packing: rows laid side by side, so that the kernels of a matrix product find kPanel of them (or
// kStrip, or kColumn) at every step of the sum, whatever the layout of the source was.
#pragma once
#include <cstdint>

namespace fovea {

// Rows of a panel: three vectors of AVX-512, six of AVX2, twelve of NEON. Packed memory does not
// depend on the instruction set, so it outlives a change of it.
inline constexpr int kPanel = 48;
// Rows of a strip, the operand that kernels broadcast from.
inline constexpr int kStrip = 8;
// Rows of a column of weights that lies in the lanes, a cache line a step.
inline constexpr int kColumn = 16;

struct Pack {
  // panel[k][j] = scale rows[j][k], j < count, panel [depth][kPanel]; columns from `count` on are
  // 0. Element k of row j is rows[j][k * step]: any step, rows in any order, the same one twice.
  // 0 <= count <= kPanel. The panel may not overlap the rows; nothing is read that is not a row's.
  // Fastest where step is 1 (transposed in registers, 0.3 cycles an element with AVX-512), or where
  // the rows are neighbours, rows[j] = rows[0] + j (copied); otherwise gathered one by one.
  void (*panel)(const float* const* rows, int64_t step, int count, int64_t depth, float scale,
                float* panel);
  // The same for strip [depth][kStrip], 0 <= count <= kStrip.
  void (*strip)(const float* const* rows, int64_t step, int count, int64_t depth, float scale,
                float* strip);
  // The same for column [depth][kColumn], 0 <= count <= kColumn.
  void (*column)(const float* const* rows, int64_t step, int count, int64_t depth, float scale,
                 float* column);
};

const Pack& pack();

}  // namespace fovea
