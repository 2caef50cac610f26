// The weights of an operation, packed one after the other in the order of their slots: matrices as
// the panels of the products they serve in, vectors as they are. Prepared weights are this array,
// made once; a plain call makes it in scratch and goes on alike.
#pragma once
#include <cstdint>

#include "core/call.h"
#include "core/scratch.h"
#include "engine/gemm.h"

namespace fovea {

class WeightPack {
 public:
  // The weights of slots [first, last]; those that are absent take no room. The rows of slot
  // `split` are packed as `parts` matrices of their own.
  WeightPack(const Call& call, int first, int last, int split = -1, int parts = 1)
      : call_(call), first_(first), last_(last), split_(split), parts_(parts) {}

  int64_t floats() const;
  void pack(float* array) const;
  // The packed weights: those of the call where it has some, else packed into scratch now.
  const float* provide(Scratch& scratch) const;
  // Where a weight lies in them, null where it is absent. Matrices: panels of [out, in] (a kernel
  // [out, in, ...] counts as one row an output).
  const float* at(const float* packed, int slot, int part = 0) const;

 private:
  int partsOf(int slot) const { return slot == split_ ? parts_ : 1; }
  int64_t floatsOfPart(int slot) const;
  int64_t floatsOf(int slot) const { return floatsOfPart(slot) * partsOf(slot); }

  const Call& call_;
  int first_, last_, split_, parts_;
};

// c = epilogue(a weight^T + bias) for `rows` rows.
struct LinearMap {
  const float* panels = nullptr;
  const float* bias = nullptr;
  int64_t in = 0, out = 0;

  LinearMap(const WeightPack& weights, const float* packed, const Call& call, int weight, int bias,
            int part = 0, int parts = 1);
  GemmProblem problem(int64_t rows, const MatrixRows& a, const MatrixRows& c) const;
};

}  // namespace fovea
