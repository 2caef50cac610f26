#include "kernels/matrix/activation-inl.h"

// Registers of a tile: kTileRows x 3 sums, 3 vectors of the panel and one element of A.
// AVX-512 8 x 3 of 32; NEON 8 x 3 of 32; AVX2 4 x 3 of 16; scalar 4 x 3.
inline constexpr int kTileRows = Vec::kRegisters >= 32 ? 8 : 4;
inline constexpr int kTileVectors = 3;
inline constexpr int kTileColumns = kTileVectors * Vec::kLanes;
inline constexpr int kLine = 16;  // floats of a cache line
// Steps of k that a tile runs before the next rows take their turn, its sums waiting in memory.
// Narrow vectors read the panel again every 4 rows: it must stay in L1 (a run of half a panel
// touches 24 KB; AVX2 then reaches 80 instead of 70 % of its peak). Eight rows of wide ones stream
// it from L2 as fast, and the visits of the sums would cost 3 %.
inline constexpr int64_t kRunSteps = kTileColumns == kPanel ? int64_t{1} << 60 : 192;

// sum[r][v] += a[r] * b[v]: one step of k.
template <int kRows, int kVectors, class Element>
[[gnu::always_inline]] inline void addProducts(Element a, const float* b,
                                               Vec (&sum)[kRows][kVectors]) {
  Vec panel[kVectors];
#pragma GCC unroll 3
  for (int v = 0; v < kVectors; ++v) panel[v] = Vec::load(b + v * Vec::kLanes);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    const Vec x = Vec::set(a(r));
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) sum[r][v] = Vec::fma(x, panel[v], sum[r][v]);
  }
}

// What a tile asks for while it multiplies.
struct Ahead {
  const float* panel;  // the next one, every four steps: its next line, or `kStreams` of them
  int64_t step;        // from there to the next, 0 where all has been asked for
  int64_t stream;      // from one stream to the next, 0 where there is one
  float* const* to;    // rows that will be stored, from `column` on, or null
  int column;

  // As many as make four steps of a panel. Where a single tile of rows takes all of a far panel,
  // reading it is the work, and memory gives twelve places sooner than one: [1, 4096] x
  // [4096, 16384] took 25 ms with one stream, 21 with four, 19.5 with twelve; asked for into the
  // second-level cache alone, 26.
  static constexpr int kStreams = 4 * kPanel / kLine;

  void askForPanel() {
    if (stream == 0) {
      __builtin_prefetch(panel, 0, 2);
    } else {
#pragma GCC unroll 12
      for (int i = 0; i < kStreams; ++i) __builtin_prefetch(panel + i * stream, 0, 3);
    }
    panel += step;
  }
};

// Steps of k between asking for an element of A and using it: 4 KB.
inline constexpr int kAheadSteps = 128;

// Asks for row r of C.
template <int kVectors>
[[gnu::always_inline]] inline void askForResult(const Ahead& ahead, int r) {
  constexpr int kSpan = kVectors * Vec::kLanes;
  const float* to = ahead.to[r] + ahead.column;
#pragma GCC unroll 3
  for (int j = 0; j < kSpan; j += kLine) __builtin_prefetch(to + j, 1, 3);
  __builtin_prefetch(to + kSpan - 1, 1, 3);
}

// Four steps of a packed strip at a time: everything at offsets known here. The rows of C are asked
// for one by one over the whole length, so that their misses do not come all at once at its end.
template <int kRows, int kVectors>
[[gnu::always_inline]] inline void addStrip(const float* a, const float* b, int64_t depth,
                                            Ahead ahead, Vec (&sum)[kRows][kVectors]) {
  const int64_t part = depth / (4 * kRows);
  for (int r = 0; r <= kRows; ++r) {
    if (ahead.to && r < kRows) askForResult<kVectors>(ahead, r);
    for (int64_t i = r < kRows ? part : depth / 4 - kRows * part; i > 0; --i) {
      ahead.askForPanel();
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        if (k * kStrip % kLine == 0) __builtin_prefetch(a + (kAheadSteps + k) * kStrip, 0, 3);
        addProducts([&](int row) { return a[k * kStrip + row]; }, b + k * kPanel, sum);
      }
      a += 4 * kStrip;
      b += 4 * kPanel;
    }
  }
  for (int64_t k = depth % 4; k > 0; --k, a += kStrip, b += kPanel) {
    addProducts([&](int row) { return a[row]; }, b, sum);
  }
}

// Rows of A are neighbours in memory, its steps `aStep` apart. Asks for the two of `soon` by turns.
template <int kRows, int kVectors>
[[gnu::always_inline]] inline void addColumns(const float* a, int64_t aStep, const float* b,
                                              int64_t bStep, int64_t depth,
                                              const float* const (&soon)[2], int64_t soonStep,
                                              Vec (&sum)[kRows][kVectors]) {
  const float *turn = soon[0], *other = soon[1];
#pragma GCC unroll 4
  for (int64_t k = 0; k < depth; ++k, a += aStep, b += bStep) {
    __builtin_prefetch(turn, 0, 2);
    const float* next = other + soonStep;
    other = turn + soonStep;
    turn = next;
    addProducts([&](int row) { return a[row]; }, b, sum);
  }
}

// Tiles of rows between asking for them and multiplying them, where they are read where they lie.
inline constexpr int kTilesAhead = 2;

// Steps of A are neighbours in memory, its rows `stride` apart.
template <int kRows, int kVectors>
[[gnu::always_inline]] inline void addRows(const float* a, int64_t stride, const float* b,
                                           int64_t bStep, int64_t depth, Ahead ahead,
                                           Vec (&sum)[kRows][kVectors]) {
  const float* rows[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) rows[r] = a + r * stride;
  const float* later = a + kTilesAhead * kTileRows * stride;
  const float* ask = later;
  int asked = 0;
  int64_t k = 0;
  for (; k + 4 <= depth; k += 4) {
    if (ahead.stream != 0) ahead.askForPanel();
    // Two rows a time: all of them while a line of 16 steps is multiplied.
    __builtin_prefetch(ask, 0, 3);
    __builtin_prefetch(ask + stride, 0, 3);
    ask += 2 * stride;
    if (ahead.to && asked < kRows) askForResult<kVectors>(ahead, asked);
    if (++asked % 4 == 0) ask = later + k + 4;
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i, b += bStep) {
      addProducts([&](int row) { return rows[row][k + i]; }, b, sum);
    }
  }
  for (; k < depth; ++k, b += bStep) {
    addProducts([&](int row) { return rows[row][k]; }, b, sum);
  }
}

// Steps [k, k + depth) of a product.
struct Run {
  int64_t k, depth;
  bool ends;  // with the last one
};

// One register tile: kRows rows, kVectors vectors of the panel, of which `columns` columns count.
template <int kRows, int kVectors>
void multiplyTile(const GemmBlock& block, const Run& run, int64_t row, int column, int columns,
                  Ahead ahead) {
  Vec sum[kRows][kVectors];
  float* sums = block.sums + row * kPanel + column;
  const bool resume = block.resume || run.k > 0;
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      sum[r][v] = resume ? Vec::load(sums + r * kPanel + v * Vec::kLanes) : Vec::zero();
    }
  }
  const float* a =
      block.a + row / kStrip * block.aStrip + row % kStrip * block.aRow + run.k * block.aStep;
  const float* b = block.panel + run.k * block.panelStep + column;
  if (block.aRow == 1 && block.aStep == kStrip && block.panelStep == kPanel) {
    addStrip(a, b, run.depth, ahead, sum);
  } else if (block.aRow == 1) {
    const float* soon[2];
    for (int i = 0; i < 2; ++i) {
      const float* from = block.soon[(row / kStrip + i) % 2];
      soon[i] = from ? from + row * block.soonRow + run.k * block.soonStep : a;
    }
    addColumns(a, block.aStep, b, block.panelStep, run.depth, soon, block.soonStep, sum);
  } else {
    addRows(a, block.aRow, b, block.panelStep, run.depth, ahead, sum);
  }

  if (!block.to || !run.ends) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
      for (int v = 0; v < kVectors; ++v) sum[r][v].store(sums + r * kPanel + v * Vec::kLanes);
    }
    return;
  }
  const int last = columns - (kVectors - 1) * Vec::kLanes;  // lanes of the last vector that count
  if (block.bias && block.biasAlongRows) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec bias = Vec::set(block.bias[row + r]);
#pragma GCC unroll 3
      for (int v = 0; v < kVectors; ++v) sum[r][v] = sum[r][v] + bias;
    }
  } else if (block.bias) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) {
      const float* from = block.bias + column + v * Vec::kLanes;
      const Vec bias = v < kVectors - 1 ? Vec::load(from) : Vec::loadPartial(from, last);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) sum[r][v] = sum[r][v] + bias;
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    float* to = block.to[row + r] + column;
#pragma GCC unroll 3
    for (int v = 0; v < kVectors - 1; ++v) sum[r][v].store(to + v * Vec::kLanes);
    to += (kVectors - 1) * Vec::kLanes;
    if (last == Vec::kLanes) {
      sum[r][kVectors - 1].store(to);
    } else {
      sum[r][kVectors - 1].storePartial(to, last);
    }
  }
}

template <int kRows, int kVectors>
inline void multiplyRemainder(const GemmBlock& block, const Run& run, int64_t row, int column,
                              int columns, Ahead ahead) {
  if constexpr (kRows > 0) {
    if (block.rows - row == kRows) {
      multiplyTile<kRows, kVectors>(block, run, row, column, columns, ahead);
    } else {
      multiplyRemainder<kRows - 1, kVectors>(block, run, row, column, columns, ahead);
    }
  }
}

// All rows of the block by one span of columns; `linesLeft` of the panel ahead were not asked for.
template <int kVectors>
void multiplySpan(const GemmBlock& block, int column, int columns, int64_t& linesLeft) {
  const int64_t runs = (block.depth - 1) / kRunSteps + 1;
  const int64_t steps = runs > 1 ? ((block.depth + runs - 1) / runs + 3) / 4 * 4 : block.depth;
  // The last panel has none behind it.
  const bool streams =
      block.far && block.rows <= kTileRows && block.ahead > block.panel && column == 0;
  int64_t k = 0;
  do {
    const int64_t depth = block.depth - k < steps ? block.depth - k : steps;
    const Run run{k, depth, k + depth == block.depth};
    for (int64_t row = 0; row < block.rows; row += kTileRows) {
      Ahead ahead{block.panel, 0, 0, nullptr, column};
      if (streams) {
        ahead.panel = block.ahead + k * kPanel;
        ahead.step = kLine;
        ahead.stream = depth / 4 * kLine;
      } else if (linesLeft > 0) {
        ahead.panel = block.ahead + block.depth * kPanel - linesLeft * kLine;
        ahead.step = kLine;
        linesLeft -= depth / 4;
      }
      if (block.to && run.ends) ahead.to = block.to + row;
      if (block.rows - row >= kTileRows) {
        multiplyTile<kTileRows, kVectors>(block, run, row, column, columns, ahead);
      } else {
        multiplyRemainder<kTileRows - 1, kVectors>(block, run, row, column, columns, ahead);
      }
    }
    k += depth;
  } while (k < block.depth);
}

void multiply(const GemmBlock& block) {
  int64_t linesLeft = block.ahead ? block.depth * kPanel / kLine : 0;
  for (int column = 0; column < block.columns; column += kTileColumns) {
    const int columns =
        block.columns - column < kTileColumns ? block.columns - column : kTileColumns;
    if (columns > 2 * Vec::kLanes) {
      multiplySpan<3>(block, column, columns, linesLeft);
    } else if (columns > Vec::kLanes) {
      multiplySpan<2>(block, column, columns, linesLeft);
    } else {
      multiplySpan<1>(block, column, columns, linesLeft);
    }
  }
}

template <class Activate>
void finishRows(const GemmFinish& f, Activate activate) {
  constexpr int kLanes = Vec::kLanes;
  for (int64_t i = 0; i < f.rows; ++i) {
    float* sums = f.sums + i * kPanel;
    float strided[kPanel];  // what a step other than 1 scatters over memory
    const float* residual = nullptr;
    if (f.residual) {
      residual = f.residual[i];
      if (f.residualStep != 1) {
        for (int j = 0; j < f.columns; ++j) strided[j] = residual[j * f.residualStep];
        residual = strided;
      }
    }
    float* to = !f.to ? sums : f.toStep == 1 ? f.to[i] : strided;
    const Vec scale = Vec::set(f.scale);
    for (int j = 0; j < f.columns; j += kLanes) {
      const int n = f.columns - j < kLanes ? f.columns - j : kLanes;
      Vec x = Vec::load(sums + j);
      if (f.bias) {
        const Vec bias = f.alongRows ? Vec::set(f.bias[i]) : Vec::loadPartial(f.bias + j, n);
        x = Vec::fma(x, scale, bias);
      } else if (f.scale != 1) {
        x = x * scale;
      }
      x = activate(x);
      const Vec added = residual ? Vec::loadPartial(residual + j, n) : Vec::zero();
      if (f.gain) {
        const Vec gain = f.alongRows ? Vec::set(f.gain[i]) : Vec::loadPartial(f.gain + j, n);
        x = residual ? Vec::fma(gain, x, added) : gain * x;
      } else if (residual) {
        x = x + added;
      }
      if (n == kLanes) {
        x.store(to + j);
      } else {
        x.storePartial(to + j, n);
      }
    }
    if (f.to && f.toStep != 1) {
      for (int j = 0; j < f.columns; ++j) f.to[i][j * f.toStep] = strided[j];
    }
  }
}

void finish(const GemmFinish& f) {
  withActivation(f.activation, [&](auto activate) { finishRows(f, activate); });
}

inline constexpr GemmTile kGemmTile{multiply, finish};
