#include "engine/attention/classAttention.h"

#include <cmath>

#include "core/parallel.h"
#include "engine/attention/attend.h"

namespace fovea {

WeightPack classPack(const Call& call, int first, int last, int own, int64_t heads) {
  const int parts = static_cast<int>(heads);
  return WeightPack(call, first, last,
                    {{own + kClassKeyWeight, parts, Packing::Order::kColumns},
                     {own + kClassValueWeight, parts, Packing::Order::kRows}});
}

void classAttention(const Call& call, const WeightPack& weights, const float* packed, int own,
                    int64_t heads, const Tensor& tokens, float* joined) {
  const int64_t batch = tokens.shape[0], length = tokens.shape[1], width = tokens.shape[2];
  const int64_t depth = width / heads;
  Scratch& shared = Scratch::ofThread();
  const Scratch::Scope scope(shared);
  float* query = shared.floats(batch * width);
  float* asked = shared.floats(batch * heads * width);  // Wk_h^T q_h
  float* mean = shared.floats(batch * heads * width);   // sum_j p_hj x_j

  const LinearMap in = weights.map(packed, own + kClassQueryWeight, own + kClassQueryBias);
  const MatrixRows asking(tokens.floats(), tokens.strides[0], tokens.strides[2]);
  gemm(call, in.problem(batch, asking, MatrixRows(query, width, 1)));

  parallelFor(call, heads, [&](int64_t h, Scratch& scratch) {
    GemmProblem p;
    p.rows = batch;
    p.depth = depth;
    p.columns = width;
    p.a.matrix = MatrixRows(query + h * depth, width, 1);
    p.b.panels = weights.at(packed, own + kClassKeyWeight, static_cast<int>(h));
    p.c = MatrixRows(asked + h * width, heads * width, 1);
    gemmBlock(p, {0, batch}, {0, width}, scratch);
  });

  const AttendExtent extent{batch, heads, length, width, width};
  attend(call, extent, [&](int64_t b, FunctionRef<void(const AttendProblem&)> work) {
    AttendProblem p;
    p.rows = heads;
    p.depth = p.valueDepth = static_cast<int>(width);
    const KeyRows rows{tokens.floats() + b * tokens.strides[0], tokens.strides[1],
                       tokens.strides[2]};
    p.segments[0] = {length, rows, rows};
    p.scale = static_cast<float>(1 / std::sqrt(static_cast<double>(depth)));
    const auto describe = [&](int64_t h, QueryRow& r) {
      r.query = asked + (b * heads + h) * width;
      r.out = mean + (b * heads + h) * width;
      r.visible[0] = {0, length};
    };
    p.describe = describe;
    work(p);
  });

  parallelFor(call, heads, [&](int64_t h, Scratch& scratch) {
    const LinearMap value =
        weights.map(packed, own + kClassValueWeight, own + kClassValueBias, static_cast<int>(h));
    gemmBlock(value.problem(batch, MatrixRows(mean + h * width, heads * width, 1),
                            MatrixRows(joined + h * depth, width, 1)),
              {0, batch}, {0, depth}, scratch);
  });
}

}  // namespace fovea
