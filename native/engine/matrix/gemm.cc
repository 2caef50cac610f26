#include "engine/matrix/gemm.h"

#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"

namespace fovea {

namespace {

// `count` things in equal parts of at most about `most`, each but the last a multiple of `unit`.
int64_t evenPart(int64_t count, int64_t most, int64_t unit) {
  const int64_t parts = std::max<int64_t>(ceilDiv(count, most), 1);
  return std::max(ceilDiv(ceilDiv(count, parts), unit) * unit, unit);
}

// A block of A stays in L2 (1.25 MB on the machine it was measured on, 1 MB on most) while the
// panels of B pass through it one by one, each asked for while the one before is multiplied:
// without that, [512, 768] x [768, 3072] ran at 117 instead of 140 GFLOP/s.
constexpr int64_t kBlockFloats = 96 * 1024;
constexpr int64_t kBlockRows = 128;
constexpr int64_t kBlockRowsLeast = 32;
// Past this depth a product is cut into chunks that continue each other's sums, so that two panels
// and the block still fit into L2.
constexpr int64_t kChunkDepth = 1024;
// Columns whose sums are kept from chunk to chunk; they share a packed block of A. Without chunks
// all columns share it: packing it, from memory, takes as long as multiplying it by a panel and a
// half.
constexpr int64_t kGroupPanels = 16;
// Where B is packed piece by piece: of a group. 2 MB.
constexpr int64_t kGroupFloats = 512 * 1024;
// So few panels, or rows, are over before A would be packed.
constexpr int64_t kDirectColumns = 3 * kPanel;
constexpr int64_t kDirectRows = kStrip / 2;
// Larger than this, 8 MB, packed panels come from memory. One row by 4 MB from the third-level
// cache took 1.1 times as long if read as from memory, by 8 MB 1.05, by 16 MB 0.73.
constexpr int64_t kFarFloats = int64_t{1} << 21;

// How a problem is cut, from its shape alone.
struct Plan {
  int64_t rows;    // of a block of A
  int64_t panels;  // of a group of B
  int64_t depth;   // of a chunk: block and group meet chunk by chunk
  int64_t chunks;
  bool direct;  // A is read where it lies
};

Plan planOf(const GemmProblem& p) {
  Plan plan;
  const MatrixRows& a = p.a.matrix;
  const bool dense = a && a.uniform() && (a.step() == 1 || a.stride() == 1);
  plan.direct = dense && (p.columns <= kDirectColumns || p.rows <= kDirectRows);
  plan.depth = evenPart(p.depth, kChunkDepth, 4);
  plan.chunks = std::max<int64_t>(ceilDiv(p.depth, plan.depth), 1);
  plan.rows =
      evenPart(p.rows, std::clamp(kBlockFloats / plan.depth, kBlockRowsLeast, kBlockRows), kStrip);
  plan.panels = kGroupPanels;
  if (p.b.panels && plan.chunks == 1) {
    plan.panels = std::max<int64_t>(ceilDiv(p.columns, kPanel), 1);
  } else if (!p.b.panels) {
    plan.panels = std::clamp<int64_t>(kGroupFloats / (plan.depth * kPanel), 1, kGroupPanels);
  }
  return plan;
}

// Steps [begin, begin + depth) of `count` rows side by side.
template <int kWidth>
void packPiece(const MatrixRows& matrix, int64_t first, int64_t count, int64_t begin, int64_t depth,
               float* packed) {
  const float* rows[kWidth];
  for (int64_t r = 0; r < count; ++r) rows[r] = matrix.row(first + r) + begin * matrix.step();
  (kWidth == kPanel ? pack().panel : pack().strip)(rows, matrix.step(), static_cast<int>(count),
                                                   depth, 1.0f, packed);
}

// The calling thread's part of a problem: its scratch, and what lies in it.
class Product {
 public:
  Product(const GemmProblem& problem, Scratch& scratch);
  void run(GemmRange rows, GemmRange columns);

 private:
  // Operand A of the present block of rows and chunk of k.
  struct Operand {
    const float* a;
    int64_t strip, row, step;
  };

  void visit(GemmRange rows, GemmRange columns);
  Operand provideA(GemmRange rows, GemmRange k);
  void provideB(GemmRange columns, GemmRange k);
  void findRows(GemmRange rows);
  void pointAt(int64_t column);
  void finish(GemmRange rows, GemmRange columns, float* sums);

  const GemmProblem& p_;
  const Plan plan_;
  const GemmTile& tile_ = gemmTile();
  const bool endsInTile_;  // the tile itself does all that the epilogue asks for
  float* packedA_ = nullptr;
  float* packedB_ = nullptr;
  float* sums_ = nullptr;  // [panels, if there are chunks][rows][kPanel]
  // Rows of C and of the residual: where they begin, and their elements of the present panel.
  float **rowsOfC_ = nullptr, **to_ = nullptr;
  const float **rowsOfResidual_ = nullptr, **residual_ = nullptr;
  // What is packed, and whose rows are found.
  int64_t rowOfA_ = -1, kOfA_ = -1, columnOfB_ = -1, kOfB_ = -1, rowFound_ = -1;
  int64_t rowCount_ = 0;
};

Product::Product(const GemmProblem& problem, Scratch& scratch)
    : p_(problem),
      plan_(planOf(problem)),
      endsInTile_(!problem.sink && problem.epilogue.onlyBias() && !problem.residual &&
                  problem.c.step() == 1) {
  if (!p_.a.strips && !plan_.direct) packedA_ = scratch.floats(plan_.rows * plan_.depth);
  if (!p_.b.panels) packedB_ = scratch.floats(plan_.panels * kPanel * plan_.depth);
  sums_ = scratch.floats((plan_.chunks > 1 ? plan_.panels : 1) * plan_.rows * kPanel);
  if (p_.c) {
    rowsOfC_ = scratch.array<float*>(plan_.rows);
    to_ = scratch.array<float*>(plan_.rows);
  }
  if (p_.residual) {
    rowsOfResidual_ = scratch.array<const float*>(plan_.rows);
    residual_ = scratch.array<const float*>(plan_.rows);
  }
}

// The outer loop runs over the operand that is packed here, so that it is packed once.
void Product::run(GemmRange rows, GemmRange columns) {
  const int64_t groupColumns = plan_.panels * kPanel;
  auto columnsFrom = [&](int64_t j) {
    return GemmRange{j, std::min(j + groupColumns, columns.end)};
  };
  auto rowsFrom = [&](int64_t i) { return GemmRange{i, std::min(i + plan_.rows, rows.end)}; };
  if (p_.b.panels) {
    for (int64_t i = rows.begin; i < rows.end; i += plan_.rows) {
      for (int64_t j = columns.begin; j < columns.end; j += groupColumns) {
        visit(rowsFrom(i), columnsFrom(j));
      }
    }
  } else {
    for (int64_t j = columns.begin; j < columns.end; j += groupColumns) {
      for (int64_t i = rows.begin; i < rows.end; i += plan_.rows) {
        visit(rowsFrom(i), columnsFrom(j));
      }
    }
  }
}

Product::Operand Product::provideA(GemmRange rows, GemmRange k) {
  if (p_.a.strips) {
    return {p_.a.strips + rows.begin * p_.depth + k.begin * kStrip, p_.depth * kStrip, 1, kStrip};
  }
  const MatrixRows& matrix = p_.a.matrix;
  if (plan_.direct) {
    return {matrix.row(rows.begin) + k.begin * matrix.step(), kStrip * matrix.stride(),
            matrix.stride(), matrix.step()};
  }
  const Operand operand{packedA_, k.size() * kStrip, 1, kStrip};
  if (rowOfA_ == rows.begin && kOfA_ == k.begin) return operand;
  rowOfA_ = rows.begin;
  kOfA_ = k.begin;
  float* strip = packedA_;
  for (int64_t i = rows.begin; i < rows.end; i += kStrip, strip += operand.strip) {
    const int count = static_cast<int>(std::min<int64_t>(kStrip, rows.end - i));
    if (p_.a.source) {
      p_.a.source.fill(p_.a.source.context, i, count, k.begin, k.size(), strip);
    } else {
      packPiece<kStrip>(matrix, i, count, k.begin, k.size(), strip);
    }
  }
  return operand;
}

void Product::provideB(GemmRange columns, GemmRange k) {
  if (p_.b.panels) return;
  if (columnOfB_ == columns.begin && kOfB_ == k.begin) return;
  columnOfB_ = columns.begin;
  kOfB_ = k.begin;
  float* panel = packedB_;
  for (int64_t j = columns.begin; j < columns.end; j += kPanel, panel += k.size() * kPanel) {
    const int count = static_cast<int>(std::min<int64_t>(kPanel, columns.end - j));
    if (p_.b.source) {
      p_.b.source.fill(p_.b.source.context, j, count, k.begin, k.size(), panel);
    } else {
      packPiece<kPanel>(p_.b.matrix, j, count, k.begin, k.size(), panel);
    }
  }
}

void Product::findRows(GemmRange rows) {
  if (rowFound_ == rows.begin) return;
  rowFound_ = rows.begin;
  rowCount_ = rows.size();
  for (int64_t i = 0; i < rowCount_; ++i) {
    if (p_.c) rowsOfC_[i] = p_.c.row(rows.begin + i);
    if (p_.residual) rowsOfResidual_[i] = p_.residual.row(rows.begin + i);
  }
}

void Product::pointAt(int64_t column) {
  if (p_.c) {
    for (int64_t i = 0; i < rowCount_; ++i) to_[i] = rowsOfC_[i] + column * p_.c.step();
  }
  if (p_.residual) {
    const int64_t offset = column * p_.residual.step();
    for (int64_t i = 0; i < rowCount_; ++i) residual_[i] = rowsOfResidual_[i] + offset;
  }
}

void Product::finish(GemmRange rows, GemmRange columns, float* sums) {
  const GemmEpilogue& e = p_.epilogue;
  const int64_t first = e.alongRows ? rows.begin : columns.begin;
  GemmFinish f;
  f.sums = sums;
  f.rows = rows.size();
  f.columns = static_cast<int>(columns.size());
  f.scale = e.scale;
  f.activation = e.activation;
  f.alongRows = e.alongRows;
  f.bias = e.bias ? e.bias + first : nullptr;
  f.gain = e.gain ? e.gain + first : nullptr;
  f.residual = p_.residual ? residual_ : nullptr;
  f.residualStep = p_.residual.step();
  f.to = p_.sink ? nullptr : to_;
  f.toStep = p_.c.step();
  tile_.finish(f);
  if (p_.sink) {
    p_.sink.take(p_.sink.context, rows.begin, rows.size(), columns.begin, f.columns, sums);
  }
}

void Product::visit(GemmRange rows, GemmRange columns) {
  findRows(rows);
  for (int64_t chunk = 0; chunk < plan_.chunks; ++chunk) {
    const GemmRange k{chunk * plan_.depth, std::min((chunk + 1) * plan_.depth, p_.depth)};
    const bool last = chunk == plan_.chunks - 1;
    const bool ends = last && endsInTile_;
    const Operand a = provideA(rows, k);
    provideB(columns, k);
    const int64_t panelFloats = (p_.b.panels ? p_.depth : k.size()) * kPanel;
    const float* first = packedB_;
    if (p_.b.panels) first = p_.b.panels + columns.begin * p_.depth + k.begin * kPanel;
    GemmBlock block;
    block.a = a.a;
    block.aStrip = a.strip;
    block.aRow = a.row;
    block.aStep = a.step;
    block.panel = first;
    block.rows = rows.size();
    block.depth = k.size();
    block.sums = sums_;
    block.resume = chunk > 0;
    block.to = ends ? to_ : nullptr;
    block.far = p_.b.panels && p_.columns * p_.depth > kFarFloats;
    block.biasAlongRows = p_.epilogue.alongRows;
    for (int64_t j = columns.begin; j < columns.end; j += kPanel) {
      const GemmRange here{j, std::min<int64_t>(j + kPanel, columns.end)};
      block.columns = static_cast<int>(here.size());
      block.ahead = here.end < columns.end ? block.panel + panelFloats : first;
      block.bias = nullptr;
      if (ends && p_.epilogue.bias) {
        block.bias = p_.epilogue.bias + (p_.epilogue.alongRows ? rows.begin : j);
      }
      if (last) pointAt(j);
      tile_.multiply(block);
      if (last && !endsInTile_) finish(rows, here, block.sums);
      block.panel += panelFloats;
      if (plan_.chunks > 1) block.sums += plan_.rows * kPanel;
    }
  }
}

template <int kWidth>
void packWhole(const Call& call, const MatrixRows& matrix, int64_t count, int64_t depth,
               float* packed) {
  const int64_t pieces = ceilDiv(count, kWidth);
  // A task is worth some fifty microseconds.
  const int64_t each = std::max<int64_t>((1 << 17) / (depth * kWidth + 1), 1);
  parallelFor(call, ceilDiv(pieces, each), [&](int64_t task, Scratch&) {
    for (int64_t i = task * each; i < std::min((task + 1) * each, pieces); ++i) {
      packPiece<kWidth>(matrix, i * kWidth, std::min<int64_t>(kWidth, count - i * kWidth), 0, depth,
                        packed + i * kWidth * depth);
    }
  });
}

}  // namespace

void gemmBlock(const GemmProblem& problem, GemmRange rows, GemmRange columns, Scratch& scratch) {
  if (rows.size() <= 0 || columns.size() <= 0) return;
  const Scratch::Scope scope(scratch);
  Product(problem, scratch).run(rows, columns);
}

void gemm(const Call& call, const GemmProblem& problem) {
  if (problem.rows <= 0 || problem.columns <= 0) return;
  // Rows of a task: a block, or, where each task packs B for itself, as many as make that 1 % of
  // it. More rows than that meet a matrix packed once: no task packs it again, and none packs A
  // again for every group of columns.
  constexpr int64_t kPackingRows = 1024;
  if (problem.b.matrix && problem.rows > kPackingRows) {
    Scratch& scratch = Scratch::ofThread();
    const Scratch::Scope scope(scratch);
    float* panels = scratch.floats(panelFloats(problem.columns, problem.depth));
    packPanels(call, problem.b.matrix, problem.columns, problem.depth, panels);
    GemmProblem packed = problem;
    packed.b.matrix = MatrixRows();
    packed.b.panels = panels;
    return gemm(call, packed);
  }
  // Columns of a task: all, unless that makes too few tasks for many threads. Where each task packs
  // A for itself, 4 panels a task instead of 12 cost [197, 384] x [384, 1152] a tenth of its speed.
  constexpr int64_t kTasks = 16;
  constexpr int64_t kTaskPanels = 4;
  constexpr int64_t kPackingPanels = 12;
  // Multiply-adds of a task: between some ten microseconds and some ten milliseconds.
  constexpr int64_t kLeastProducts = int64_t{1} << 20;
  constexpr int64_t kMostProducts = int64_t{1} << 29;
  const Plan plan = planOf(problem);
  const bool packsA = !problem.a.strips && !plan.direct;
  const int64_t taskRows =
      problem.b.panels ? plan.rows : evenPart(problem.rows, kPackingRows, plan.rows);
  const int64_t rowTasks = ceilDiv(problem.rows, taskRows);
  const int64_t panels = ceilDiv(problem.columns, kPanel);
  const int64_t panelProducts = std::min(taskRows, problem.rows) * (problem.depth + 1) * kPanel;
  const int64_t least =
      std::max(packsA ? kPackingPanels : kTaskPanels, ceilDiv(kLeastProducts, panelProducts));
  const int64_t most = std::max(least, kMostProducts / panelProducts);
  const int64_t taskPanels =
      evenPart(panels, std::clamp(panels * rowTasks / kTasks, least, most), 1);
  const int64_t columnTasks = ceilDiv(panels, taskPanels);
  parallelFor(call, rowTasks * columnTasks, [&](int64_t task, Scratch& scratch) {
    const int64_t i = task / columnTasks * taskRows;
    const int64_t j = task % columnTasks * taskPanels * kPanel;
    gemmBlock(problem, {i, std::min(i + taskRows, problem.rows)},
              {j, std::min(j + taskPanels * kPanel, problem.columns)}, scratch);
  });
}

void packPanels(const Call& call, const MatrixRows& matrix, int64_t count, int64_t depth,
                float* panels) {
  packWhole<kPanel>(call, matrix, count, depth, panels);
}

void packStrips(const Call& call, const MatrixRows& matrix, int64_t count, int64_t depth,
                float* strips) {
  packWhole<kStrip>(call, matrix, count, depth, strips);
}

}  // namespace fovea
