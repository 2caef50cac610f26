// A strided view of memory the engine does not own.
#pragma once
#include <cstdint>

namespace fovea {

enum class Dtype : uint8_t { kFloat32, kFloat16, kBfloat16, kUint8, kInt32 };

constexpr int64_t byteSize(Dtype dtype) {
  return dtype == Dtype::kUint8 ? 1 : dtype == Dtype::kFloat16 || dtype == Dtype::kBfloat16 ? 2 : 4;
}

inline void* elementAt(void* data, Dtype dtype, int64_t offset) {
  return static_cast<char*>(data) + offset * byteSize(dtype);
}

// `data` points at element [0, 0, ...] (the offset is already added) and is null where an optional
// tensor is absent, or where only the shape is known because prepared weights stand in for it.
// `shape` and `strides` (in elements, may be zero or negative) live as long as the call.
struct Tensor {
  void* data = nullptr;
  const int64_t* shape = nullptr;
  const int64_t* strides = nullptr;
  int rank = -1;
  Dtype dtype = Dtype::kFloat32;

  explicit operator bool() const { return data != nullptr; }
  bool described() const { return rank >= 0; }
  float* floats() const { return static_cast<float*>(data); }
  // Element number `offset` of memory, whatever its type.
  void* at(int64_t offset) const { return elementAt(data, dtype, offset); }
  uint8_t* bytes() const { return static_cast<uint8_t*>(data); }
  int32_t* ints() const { return static_cast<int32_t*>(data); }
  int64_t size() const {
    int64_t n = 1;
    for (int axis = 0; axis < rank; ++axis) n *= shape[axis];
    return n;
  }
};

}  // namespace fovea
