// Memory whose end is an unreadable page and whose start lies at address % 64 = 4 (or wherever its length
// leaves it, a multiple of the element's size): a kernel that reads one element too many, or that assumes
// an alignment nobody promised, dies at once, also where no sanitizer runs.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "check.h"

namespace fovea::test {

template <class T>
class Guarded {
 public:
  explicit Guarded(size_t count) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = count * sizeof(T);
    mappedBytes_ = (bytes + page - 1) / page * page + page;
    mapped_ = mmap(nullptr, mappedBytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mapped_ != MAP_FAILED);
    char* end = static_cast<char*>(mapped_) + mappedBytes_ - page;
    CHECK(mprotect(end, page, PROT_NONE) == 0);
    elements_ = {reinterpret_cast<T*>(end - bytes), count};
  }
  ~Guarded() { munmap(mapped_, mappedBytes_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() { return elements_.data(); }
  size_t size() const { return elements_.size(); }
  T& operator[](size_t i) { return elements_[i]; }
  auto begin() { return elements_.begin(); }
  auto end() { return elements_.end(); }

 private:
  void* mapped_ = nullptr;
  size_t mappedBytes_ = 0;
  std::span<T> elements_;
};

}  // namespace fovea::test
