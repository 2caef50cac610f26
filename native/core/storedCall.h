// Turns the numbers and arrays that cross the bridge into a Call, trusting none of them with
// memory: counts, element types, and that every strided extent lies inside its array.
#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "core/call.h"

namespace fovea {

enum class ElementType : uint8_t { kFloat32, kFloat16, kUint16, kUint8, kInt32, kOther };

// A typed array as it is now: length 0 and no data where it was detached.
struct Array {
  void* data = nullptr;
  int64_t length = 0;
  ElementType type = ElementType::kOther;
};

enum class Failure : uint8_t { kNone, kCall, kType, kBounds, kDetached, kThreads, kMemory };

struct ReadResult {
  Failure failure = Failure::kNone;
  int slot = -1;  // the slot to blame
};

// A Call together with the shapes, strides and parameters it points to. A few tensors fit inside
// it: a synchronous call then allocates nothing.
class StoredCall {
 public:
  StoredCall() = default;
  StoredCall(const StoredCall&) = delete;
  StoredCall& operator=(const StoredCall&) = delete;

  // `meta` is [threads, P, T, hasPacked], P parameters, T slots of [kind, rank, offset, shape...,
  // strides...]; kind 0 absent, 1 + Dtype present, 17 + Dtype described only. With hasPacked the
  // last slot is the prepared pack. `arrays` are those of the present slots. call.threads is 0 for
  // the default; call.op and call.control are the caller's to set.
  ReadResult read(std::span<const double> meta, std::span<const Array> arrays);

  Call call;

 private:
  static constexpr int kInlineTensors = 16;
  static constexpr int kInlineDims = 96;
  static constexpr int kInlineParams = 32;

  Tensor inlineTensors_[kInlineTensors];
  int64_t inlineDims_[kInlineDims];
  double inlineParams_[kInlineParams];
  std::unique_ptr<Tensor[]> tensors_;
  std::unique_ptr<int64_t[]> dims_;
  std::unique_ptr<double[]> params_;
};

}  // namespace fovea
