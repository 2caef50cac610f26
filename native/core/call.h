// One call of one operation: what the bridge hands to an operation, and what an operation hands on.
#pragma once
#include <atomic>
#include <cstdint>
#include <span>

#include "core/tensor.h"

namespace fovea {

struct Op;
class Crew;

// Watched by whoever waits for the call, written by the parallel loop.
struct Control {
  std::atomic<bool> cancelled{false};
  std::atomic<int64_t> tilesDone{0};
  std::atomic<int64_t> tilesTotal{0};
  Crew* crew = nullptr;  // who joins the loops of a call whose own thread opens no team
};

// Slots are numbered in the order in which lib/ops/<op>.ts declares them: tensors (required, then
// optional), outputs, weights. Parameters likewise; booleans are 0 or 1, a choice is its index, a
// per-axis list takes one parameter an axis.
struct Call {
  const Op* op = nullptr;
  std::span<const Tensor> tensors;
  std::span<const double> params;
  const float* packed = nullptr;  // prepared weights, laid out by the operation's `pack`
  int64_t packedFloats = 0;       // how many floats they are
  int threads = 1;                // upper bound on the threads this call may use
  Control* control = nullptr;     // never null while the operation runs

  // A slot or parameter that the caller did not describe reads as absent or 0.
  const Tensor& tensor(int slot) const {
    static constexpr Tensor kAbsent;
    return static_cast<size_t>(slot) < tensors.size() ? tensors[static_cast<size_t>(slot)]
                                                      : kAbsent;
  }
  double number(int index) const {
    return static_cast<size_t>(index) < params.size() ? params[static_cast<size_t>(index)] : 0;
  }
  int64_t integer(int index) const { return static_cast<int64_t>(number(index)); }
  bool flag(int index) const { return number(index) != 0; }
};

}  // namespace fovea
