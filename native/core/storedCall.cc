#include "core/storedCall.h"

#include <cmath>
#include <cstring>
#include <new>

#include "core/threads.h"

namespace fovea {

namespace {

constexpr size_t kHeader = 4;
constexpr int kDescribed = 16;
constexpr int kMaxRank = 64;
constexpr double kMaxCount = 1 << 16;
constexpr double kMaxInteger = 9007199254740991.0;  // 2^53 - 1: sums of 64 of them fit an int64

// Bounds within 2^53. Without SSE4.1 std::trunc is a call, and a small call checks a hundred
// numbers.
bool isInteger(double x, double low, double high) {
  return x >= low && x <= high && x == static_cast<double>(static_cast<int64_t>(x));
}

bool holds(ElementType type, Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat32:
      return type == ElementType::kFloat32;
    case Dtype::kFloat16:
      return type == ElementType::kUint16 || type == ElementType::kFloat16;
    case Dtype::kBfloat16:
      return type == ElementType::kUint16;
    case Dtype::kUint8:
      return type == ElementType::kUint8;
    case Dtype::kInt32:
      return type == ElementType::kInt32;
  }
  return false;
}

// Where the elements of an empty tensor would lie: its array may have no address, and null means
// absent.
alignas(64) char nowhere[64];

struct Extent {
  bool valid;  // the numbers are integers of a size that can be computed with
  bool empty;
  int64_t lowest, highest;  // elements, offset included
};

// Reads rank sizes and rank strides from `from` into `to`.
Extent readExtent(const double* from, int rank, double offset, int64_t* to) {
  Extent extent{true, false, static_cast<int64_t>(offset), static_cast<int64_t>(offset)};
  double size = 1;
  for (int axis = 0; axis < rank; ++axis) {
    const double n = from[axis], stride = from[rank + axis];
    if (!isInteger(n, 0, kMaxInteger) || !isInteger(stride, -kMaxInteger, kMaxInteger)) {
      return {false, false, 0, 0};
    }
    to[axis] = static_cast<int64_t>(n);
    to[rank + axis] = static_cast<int64_t>(stride);
    if (n == 0) {
      extent.empty = true;
      continue;
    }
    size *= n;
    const double reach = (n - 1) * stride;
    if (size > kMaxInteger || std::abs(reach) > kMaxInteger) return {false, false, 0, 0};
    (reach < 0 ? extent.lowest : extent.highest) += static_cast<int64_t>(reach);
  }
  return extent;
}

}  // namespace

ReadResult StoredCall::read(std::span<const double> meta, std::span<const Array> arrays) {
  const ReadResult malformed{Failure::kCall, -1};
  if (meta.size() < kHeader) return malformed;
  if (!isInteger(meta[0], 0, maxThreads())) return {Failure::kThreads, -1};
  if (!isInteger(meta[1], 0, kMaxCount) || !isInteger(meta[2], 0, kMaxCount)) return malformed;
  const auto paramCount = static_cast<size_t>(meta[1]);
  const auto slots = static_cast<size_t>(meta[2]);
  const bool hasPacked = meta[3] != 0;
  if (hasPacked && slots == 0) return malformed;
  if (meta.size() - kHeader < paramCount) return malformed;

  // First the sizes, so that memory is taken once.
  size_t at = kHeader + paramCount, dimCount = 0;
  for (size_t slot = 0; slot < slots; ++slot) {
    if (meta.size() - at < 3 || !isInteger(meta[at + 1], 0, kMaxRank)) return malformed;
    const size_t dims = 2 * static_cast<size_t>(meta[at + 1]);
    if (meta.size() - at - 3 < dims) return malformed;
    at += 3 + dims;
    dimCount += dims;
  }
  try {
    if (slots > kInlineTensors) tensors_ = std::make_unique<Tensor[]>(slots);
    if (dimCount > kInlineDims) dims_ = std::make_unique<int64_t[]>(dimCount);
    if (paramCount > kInlineParams) params_ = std::make_unique<double[]>(paramCount);
  } catch (const std::bad_alloc&) {
    return {Failure::kMemory, -1};
  }
  Tensor* tensors = tensors_ ? tensors_.get() : inlineTensors_;
  int64_t* dims = dims_ ? dims_.get() : inlineDims_;
  double* params = params_ ? params_.get() : inlineParams_;

  std::memcpy(params, meta.data() + kHeader, paramCount * sizeof(double));
  at = kHeader + paramCount;
  size_t nextArray = 0;
  for (size_t slot = 0; slot < slots; ++slot) {
    const int blamed = static_cast<int>(slot);
    const double kind = meta[at], offset = meta[at + 2];
    const int rank = static_cast<int>(meta[at + 1]);
    const double* from = meta.data() + at + 3;
    at += 3 + 2 * static_cast<size_t>(rank);
    Tensor& tensor = tensors[slot] = Tensor{};
    if (kind == 0) continue;
    constexpr int kDtypes = static_cast<int>(Dtype::kInt32) + 1;
    const bool described = isInteger(kind, 1 + kDescribed, kDtypes + kDescribed);
    if (!described && !isInteger(kind, 1, kDtypes)) return {Failure::kCall, blamed};
    if (!isInteger(offset, 0, kMaxInteger)) return {Failure::kBounds, blamed};
    const Extent extent = readExtent(from, rank, offset, dims);
    if (!extent.valid) return {Failure::kBounds, blamed};
    tensor.shape = dims;
    tensor.strides = dims + rank;
    tensor.rank = rank;
    tensor.dtype = static_cast<Dtype>(static_cast<int>(kind) - 1 - (described ? kDescribed : 0));
    dims += 2 * rank;
    if (described) continue;

    if (nextArray == arrays.size()) return {Failure::kCall, blamed};
    const Array& array = arrays[nextArray++];
    if (!holds(array.type, tensor.dtype)) return {Failure::kType, blamed};
    if (extent.empty) {
      tensor.data = nowhere;
      continue;
    }
    if (!array.data) return {Failure::kDetached, blamed};
    if (extent.lowest < 0 || extent.highest >= array.length) return {Failure::kBounds, blamed};
    tensor.data =
        static_cast<char*>(array.data) + static_cast<int64_t>(offset) * byteSize(tensor.dtype);
  }
  if (nextArray != arrays.size()) return malformed;

  size_t tensorCount = slots;
  if (hasPacked) {
    const Tensor& packed = tensors[--tensorCount];
    if (!packed || packed.dtype != Dtype::kFloat32 || packed.rank != 1 ||
        (packed.shape[0] > 1 && packed.strides[0] != 1)) {
      return {Failure::kCall, static_cast<int>(tensorCount)};
    }
    call.packed = packed.floats();
    call.packedFloats = packed.shape[0];
  }
  call.threads = static_cast<int>(meta[0]);
  call.tensors = {tensors, tensorCount};
  call.params = {params, paramCount};
  return {};
}

}  // namespace fovea
