// Memory whose neighbourhood is watched: what a kernel must not touch.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace fovea::test {

enum class Place {
  kBeforePage,  // ends where an unreadable page begins
  kAfterPage,   // begins where an unreadable page ends
  kMisaligned,  // begins at address % 64 == 4, an unreadable page somewhere on either side
};
inline constexpr Place kPlaces[] = {Place::kBeforePage, Place::kAfterPage, Place::kMisaligned};

// `count` elements; the rest of their pages holds a pattern that `intact` finds again.
template <class T>
class Guarded {
 public:
  explicit Guarded(int64_t count, Place place) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = static_cast<size_t>(count) * sizeof(T);
    inside_ = (bytes + 128 + page - 1) / page * page;
    mapped_ = inside_ + 2 * page;
    void* memory =
        mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<uint8_t*>(memory);
    mprotect(base_, page, PROT_NONE);
    mprotect(base_ + page + inside_, page, PROT_NONE);
    first_ = base_ + page;
    std::memset(first_, kPattern, inside_);
    const size_t offset = place == Place::kBeforePage  ? inside_ - bytes
                          : place == Place::kAfterPage ? 0
                                                       : 64 + sizeof(T) % 64;
    data_ = reinterpret_cast<T*>(first_ + offset);
    end_ = first_ + offset + bytes;
  }
  ~Guarded() { munmap(base_, mapped_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() { return data_; }
  T& operator[](int64_t i) { return data_[i]; }
  // Whether nothing beside the elements has been written.
  bool intact() const {
    for (const uint8_t* p = first_; p < reinterpret_cast<const uint8_t*>(data_); ++p) {
      if (*p != kPattern) return false;
    }
    for (const uint8_t* p = end_; p < first_ + inside_; ++p) {
      if (*p != kPattern) return false;
    }
    return true;
  }

 private:
  static constexpr uint8_t kPattern = 0xa5;
  size_t inside_, mapped_;
  uint8_t *base_, *first_, *end_;
  T* data_;
};

}  // namespace fovea::test
