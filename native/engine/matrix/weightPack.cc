#include "engine/matrix/weightPack.h"

#include <algorithm>

#include "engine/matrix/preparedWeights.h"

namespace fovea {

namespace {

int64_t depthOf(const Tensor& weight) {
  return weight.shape[0] == 0 ? 0 : weight.size() / weight.shape[0];
}

// A kernel [out, in, ...] of any strides, an output a row.
void flatten(const Tensor& weight, Packing::Order order, float* to) {
  int axes[8] = {};  // in the order of the row, the last one fastest
  for (int axis = 0; axis < weight.rank; ++axis) axes[axis] = axis;
  if (order == Packing::Order::kChannelsLast) std::rotate(axes + 1, axes + 2, axes + weight.rank);
  int64_t at[8] = {};
  for (int64_t i = 0; i < weight.size(); ++i) {
    int64_t element = 0;
    for (int axis = 0; axis < weight.rank; ++axis) element += at[axis] * weight.strides[axis];
    to[i] = weight.floats()[element];
    for (int k = weight.rank - 1; k >= 0 && ++at[axes[k]] == weight.shape[axes[k]]; --k)
      at[axes[k]] = 0;
  }
}

}  // namespace

Packing WeightPack::packingOf(int slot) const {
  for (int i = 0; i < count_; ++i)
    if (special_[i].slot == slot) return special_[i];
  return {slot};
}

int64_t WeightPack::floatsOfPart(int slot) const {
  const Tensor& weight = call_.tensor(slot);
  if (!weight.described()) return 0;
  int64_t floats = weight.size();
  if (weight.rank >= 2 && packingOf(slot).order != Packing::Order::kPlain) {
    const Packing packing = packingOf(slot);
    const int64_t outs = weight.shape[0] / packing.parts, ins = depthOf(weight);
    floats =
        packing.order == Packing::Order::kColumns ? panelFloats(ins, outs) : panelFloats(outs, ins);
  }
  return (floats + 15) / 16 * 16;  // every weight begins at a cache line
}

int64_t WeightPack::packedFloats() const {
  int64_t sum = kPreparedSlack;
  for (int slot = first_; slot <= last_; ++slot) sum += floatsOf(slot);
  return sum;
}

void WeightPack::pack(float* array) const {
  float* to = prepareAt(array);
  Scratch& scratch = Scratch::ofThread();
  for (int slot = first_; slot <= last_; to += floatsOf(slot), ++slot) {
    const Tensor& weight = call_.tensor(slot);
    if (!weight) continue;
    if (weight.rank < 2) {
      for (int64_t i = 0; i < weight.size(); ++i) to[i] = weight.floats()[i * weight.strides[0]];
      continue;
    }
    const Scratch::Scope scope(scratch);
    const Packing packing = packingOf(slot);
    if (packing.order == Packing::Order::kPlain) {
      flatten(weight, packing.order, to);
      continue;
    }
    MatrixRows rows;
    if (weight.rank == 2) {
      rows = MatrixRows(weight);
    } else {
      float* flat = scratch.floats(weight.size());
      flatten(weight, packing.order, flat);
      rows = MatrixRows(flat, depthOf(weight), 1);
    }
    const int64_t outs = weight.shape[0] / packing.parts, ins = depthOf(weight);
    for (int part = 0; part < packing.parts; ++part) {
      float* first = rows.row(part * outs);
      float* panels = to + part * floatsOfPart(slot);
      if (packing.order == Packing::Order::kColumns)
        packPanels(call_, MatrixRows(first, rows.step(), rows.stride()), ins, outs, panels);
      else
        packPanels(call_, MatrixRows(first, rows.stride(), rows.step()), outs, ins, panels);
    }
  }
}

const float* WeightPack::provide(Scratch& scratch) const {
  return packedWeights(call_, packedFloats(), scratch, [&](float* array) { pack(array); });
}

const float* WeightPack::at(const float* packed, int slot, int part) const {
  if (!call_.tensor(slot).described()) return nullptr;
  const float* at = preparedAt(packed);
  for (int before = first_; before < slot; ++before) at += floatsOf(before);
  return at + part * floatsOfPart(slot);
}

LinearMap WeightPack::map(const float* packed, int weight, int bias, int part) const {
  const Tensor& whole = call_.tensor(weight);
  LinearMap map{at(packed, weight, part), at(packed, bias), depthOf(whole),
                whole.shape[0] / packingOf(weight).parts};
  if (map.bias) map.bias += part * map.out;
  return map;
}

GemmProblem LinearMap::problem(int64_t rows, const MatrixRows& a, const MatrixRows& c) const {
  GemmProblem p;
  p.rows = rows;
  p.depth = in;
  p.columns = out;
  p.a.matrix = a;
  p.b.panels = panels;
  p.epilogue.bias = bias;
  p.c = c;
  return p;
}

}  // namespace fovea
