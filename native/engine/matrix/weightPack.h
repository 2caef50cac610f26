// The weights of an operation, packed one after the other in the order of their slots: matrices as
// the panels of the products they serve in, vectors as they are. Prepared weights are this array,
// made once; a plain call makes it in scratch and goes on alike.
#pragma once
#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "core/call.h"
#include "core/scratch.h"
#include "engine/matrix/gemm.h"

namespace fovea {

// How the weight of a slot is packed where it is not one matrix [out, in].
struct Packing {
  enum class Order {
    kRows,          // as it is; a kernel [out, in, ...] counts as one row an output
    kColumns,       // transposed: panels of [in, out of a part]
    kChannelsLast,  // a kernel [out, in, ...] as rows of [..., in]
    kPlain          // not packed: contiguous, for whoever reads rows or cuts them in a call
  };
  int slot;
  int parts = 1;  // its outputs are cut into so many matrices of their own
  Order order = Order::kRows;
};

// c = epilogue(a weight^T + bias) for `rows` rows.
struct LinearMap {
  const float* panels = nullptr;
  const float* bias = nullptr;
  int64_t in = 0, out = 0;

  GemmProblem problem(int64_t rows, const MatrixRows& a, const MatrixRows& c) const;
};

class WeightPack {
 public:
  // The weights of slots [first, last]; those that are absent take no room.
  WeightPack(const Call& call, int first, int last, std::initializer_list<Packing> special = {})
      : call_(call), first_(first), last_(last), count_(static_cast<int>(special.size())) {
    std::copy(special.begin(), special.end(), special_);
  }

  int64_t packedFloats() const;
  void pack(float* array) const;
  // The packed weights: those of the call where it has some, else packed into scratch now.
  const float* provide(Scratch& scratch) const;
  // Where a weight, or a part of it, lies in them; null where it is absent. Matrices are panels,
  // but for kPlain.
  const float* at(const float* packed, int slot, int part = 0) const;
  // A weight and its bias, or that part of them; `bias` may be the slot of none.
  LinearMap map(const float* packed, int weight, int bias, int part = 0) const;

 private:
  static constexpr int kMostSpecial = 4;

  Packing packingOf(int slot) const;
  int64_t floatsOfPart(int slot) const;
  int64_t floatsOf(int slot) const { return floatsOfPart(slot) * packingOf(slot).parts; }

  const Call& call_;
  int first_, last_, count_;
  Packing special_[kMostSpecial];
};

}  // namespace fovea
