#include "engine/matrix/rowLoop.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "kernels/matrix/copy.h"

namespace fovea {

namespace {

// A task is worth about ten microseconds: a few thousand exponentials.
constexpr int64_t kTaskElements = 16384;
// Elements of a run where runs may be cut: two of them stay in a first-level cache.
constexpr int64_t kRunElements = 4096;
// Rows gathered together, so that every line that holds their neighbours is read once.
constexpr int64_t kTileRows = 16;
constexpr int64_t kTileElements = 65536;

struct Axis {
  int64_t size = 1;
  int64_t x = 1;  // strides
  int64_t out = 1;
};

struct Loop {
  std::vector<Axis> outer;  // slowest first
  Axis row;
  int64_t rows = 1;      // product of the outer sizes
  int64_t run = 1;       // elements of a row that the function sees at once
  int64_t runs = 1;      // of them a row
  int64_t tileRows = 1;  // rows that pass through scratch together
  int64_t taskRows = 1;
  int64_t pitch = 0;  // between rows in scratch
  const float* x = nullptr;
  float* out = nullptr;
  RowFunction function = nullptr;
  void* context = nullptr;

  bool direct() const { return row.x == 1 && row.out == 1; }
};

// Orders the axes as x lies in memory, and makes one of neighbours that continue each other.
void collapse(std::vector<Axis>& axes) {
  std::stable_sort(axes.begin(), axes.end(),
                   [](const Axis& a, const Axis& b) { return std::abs(a.x) > std::abs(b.x); });
  size_t last = 0;
  for (size_t i = 1; i < axes.size(); ++i) {
    Axis& a = axes[last];
    const Axis& b = axes[i];
    if (a.x == b.x * b.size && a.out == b.out * b.size) {
      a = {a.size * b.size, b.x, b.out};
    } else {
      axes[++last] = b;
    }
  }
  if (!axes.empty()) axes.resize(last + 1);
}

Loop plan(const Tensor& x, const Tensor& out, RowKind kind) {
  Loop loop;
  loop.x = x.floats();
  loop.out = out.floats();
  for (int axis = 0; axis < x.rank; ++axis) {
    const Axis a{x.shape[axis], x.strides[axis], out.strides[axis]};
    loop.rows *= a.size;
    if (kind == RowKind::kWhole && axis == x.rank - 1) {
      if (a.size > 1) loop.row = a;
    } else if (a.size != 1) {
      loop.outer.push_back(a);
    }
  }
  if (loop.rows == 0) return loop;
  collapse(loop.outer);
  if (kind == RowKind::kElements && !loop.outer.empty()) {
    loop.row = loop.outer.back();
    loop.outer.pop_back();
  }
  loop.rows /= loop.row.size;
  loop.run = kind == RowKind::kWhole ? loop.row.size : std::min(loop.row.size, kRunElements);
  loop.runs = ceilDiv(loop.row.size, loop.run);
  loop.taskRows = std::max<int64_t>(kTaskElements / loop.run, 1);
  if (!loop.direct()) {
    loop.tileRows = std::clamp<int64_t>(kTileElements / loop.run, 1, kTileRows);
    loop.taskRows = std::max(loop.taskRows, loop.tileRows);
    loop.pitch = (loop.run + 15) / 16 * 16 + 16;  // off the powers of two that share cache sets
  }
  return loop;
}

// `rows` rows whose neighbours are xRow and outRow apart, n elements of each.
void runRows(const Loop& loop, const float* x, int64_t xRow, float* out, int64_t outRow,
             int64_t rows, int64_t n, float* scratch) {
  if (loop.direct()) {
    for (int64_t i = 0; i < rows; ++i) {
      loop.function(loop.context, x + i * xRow, out + i * outRow, n);
    }
    return;
  }
  const bool gathers = loop.row.x != 1;
  const bool scatters = loop.row.out != 1;
  for (int64_t i = 0; i < rows; i += loop.tileRows) {
    const int64_t count = std::min(loop.tileRows, rows - i);
    const float* from = x + i * xRow;
    float* to = out + i * outRow;
    if (gathers) copy().tile(from, xRow, loop.row.x, scratch, loop.pitch, 1, count, n);
    for (int64_t j = 0; j < count; ++j) {
      float* row = scratch + j * loop.pitch;
      loop.function(loop.context, gathers ? row : from + j * xRow, scatters ? row : to + j * outRow,
                    n);
    }
    if (scatters) copy().tile(scratch, loop.pitch, 1, to, outRow, loop.row.out, count, n);
  }
}

void runTask(const Loop& loop, int64_t task, Scratch& memory) {
  float* scratch = loop.direct() ? nullptr : memory.floats(loop.tileRows * loop.pitch);
  const int64_t start = task % loop.runs * loop.run;
  const int64_t n = std::min(loop.run, loop.row.size - start);
  const Axis single;
  const Axis& fastest = loop.outer.empty() ? single : loop.outer.back();
  const int64_t end = std::min((task / loop.runs + 1) * loop.taskRows, loop.rows);
  for (int64_t row = task / loop.runs * loop.taskRows; row < end;) {
    int64_t x = start * loop.row.x, out = start * loop.row.out, rest = row;
    for (size_t axis = loop.outer.size(); axis-- > 0;) {
      const Axis& a = loop.outer[axis];
      x += rest % a.size * a.x;
      out += rest % a.size * a.out;
      rest /= a.size;
    }
    const int64_t rows = std::min(fastest.size - row % fastest.size, end - row);
    runRows(loop, loop.x + x, fastest.x, loop.out + out, fastest.out, rows, n, scratch);
    row += rows;
  }
}

}  // namespace

void forEachRowImpl(const Call& call, const Tensor& x, const Tensor& out, RowKind kind,
                    RowFunction function, void* context) {
  Loop loop = plan(x, out, kind);
  if (loop.rows == 0) return;
  loop.function = function;
  loop.context = context;
  const int64_t tasks = ceilDiv(loop.rows, loop.taskRows) * loop.runs;
  parallelFor(call, tasks, [&](int64_t task, Scratch& scratch) { runTask(loop, task, scratch); });
}

}  // namespace fovea
