// Per-thread scratch memory: a bump allocator that grows once and is then reused by every call.
#pragma once
#include <cstddef>
#include <cstdint>

namespace fovea {

class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  // 64-byte aligned, not initialised, valid until the enclosing Scope ends. Throws std::bad_alloc.
  template <typename T>
  T* array(int64_t count) {
    return static_cast<T*>(take(count, sizeof(T)));
  }
  float* floats(int64_t count) { return array<float>(count); }
  int32_t* ints(int64_t count) { return array<int32_t>(count); }
  uint8_t* bytes(int64_t count) { return array<uint8_t>(count); }

  // What is taken inside a scope is given back at its end, in stack order.
  class Scope {
   public:
    explicit Scope(Scratch& scratch);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Scratch& scratch_;
    struct Block* block_;
    size_t used_;
  };

  // The calling thread's own.
  static Scratch& ofThread();

 private:
  void* take(int64_t count, int64_t size);
  void freeFrom(struct Block* block);
  void trim();

  // A chain in the order of allocation. Blocks behind the current one are empty and wait for reuse.
  struct Block* first_ = nullptr;
  struct Block* current_ = nullptr;
  size_t used_ = 0;  // bytes used of the current block
  int depth_ = 0;    // scopes open
};

}  // namespace fovea
