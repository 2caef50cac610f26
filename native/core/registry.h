// Operations register themselves: a new one is a new file under native/ops and no other edit.
#pragma once
#include <vector>

#include "core/call.h"

namespace fovea {

struct Op {
  const char* name;
  void (*run)(const Call&);
  // Rough floating-point operations of the call, or what else would take as long: decides whether
  // it is worth a crew.
  double (*flops)(const Call&);
  // Operations with weights only: how many floats `pack` writes, and the packing itself. A plain
  // call packs into scratch and then does exactly what a prepared call does, hence equal bits.
  int64_t (*packedFloats)(const Call&) = nullptr;
  void (*pack)(const Call&, float* packed) = nullptr;
};

// The last two for an operation whose packed weights packOf(call) lays out.
template <auto packOf>
struct Packed {
  static int64_t floats(const Call& call) { return packOf(call).packedFloats(); }
  static void pack(const Call& call, float* packed) { packOf(call).pack(packed); }
};

const std::vector<Op>& registry();

// `static const Register registered({"softmax", run, flops});` at the end of an operation's file.
struct Register {
  explicit Register(const Op& op);
};

}  // namespace fovea
