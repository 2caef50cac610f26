// Multi-head attention over projected rows: head h is columns h D .. (h + 1) D - 1 of each.
#pragma once
#include <cstdint>

#include "core/call.h"
#include "core/functionRef.h"
#include "core/scratch.h"
#include "engine/matrix/matrixRows.h"
#include "keysets/band.h"

namespace fovea {

// The rows of all batch entries, one entry behind the other.
struct ProjectedRows {
  float* data = nullptr;
  int64_t length = 0;  // of a batch entry
  int64_t stride = 0;  // from row to row

  MatrixRows head(int64_t b, int64_t h, int64_t depth) const {
    return MatrixRows(data + b * length * stride + h * depth, stride, 1);
  }
};

struct ProjectedHeads {
  int64_t batch = 0, heads = 0, depth = 0;
  ProjectedRows query, key, value;

  float scale() const;  // 1 / sqrt(D)
};

// The keys of query i of entry b.
using SeenByRow = FunctionRef<Interval(int64_t b, int64_t i)>;

// Softmax attention of every head, to `out`.
void attendHeads(const Call& call, const ProjectedHeads& x, const ProjectedRows& out,
                 SeenByRow visible);

// The same for a few rows, on the calling thread.
void attendHeadsHere(const ProjectedHeads& x, const ProjectedRows& out, SeenByRow visible,
                     Scratch& scratch);

}  // namespace fovea
