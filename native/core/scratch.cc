#include "core/scratch.h"

#include <algorithm>
#include <new>

namespace fovea {

namespace {
constexpr size_t kAlignment = 64;
constexpr size_t kSmallestBlock = size_t{1} << 18;
// Kept by a thread between calls; what a larger call needed is returned to the system at its end,
// whose page faults such a call does not notice.
constexpr size_t kKeptBytes = size_t{32} << 20;
// No machine has more; sums of sizes below do not overflow.
constexpr int64_t kMostElements = int64_t{1} << 40;
}  // namespace

struct alignas(kAlignment) Block {
  Block* next;
  size_t capacity;
  char* data() { return reinterpret_cast<char*>(this + 1); }
};

namespace {
Block* allocate(size_t capacity) {
  void* memory = ::operator new(sizeof(Block) + capacity, std::align_val_t{kAlignment});
  return new (memory) Block{nullptr, capacity};
}
void deallocate(Block* block) {
  ::operator delete(static_cast<void*>(block), std::align_val_t{kAlignment});
}
}  // namespace

Scratch::~Scratch() { freeFrom(first_); }

Scratch& Scratch::ofThread() {
  static thread_local Scratch scratch;
  return scratch;
}

void* Scratch::take(int64_t count, int64_t size) {
  if (count < 0 || count > kMostElements) throw std::bad_alloc();
  const size_t bytes =
      (static_cast<size_t>(count * size) + kAlignment - 1) / kAlignment * kAlignment;
  if (current_ && bytes <= current_->capacity - used_) {
    void* memory = current_->data() + used_;
    used_ += bytes;
    return memory;
  }
  Block* next = current_ ? current_->next : first_;
  if (!next || next->capacity < bytes) {
    // A block that is too small would never be reached again, and neither would those behind it.
    freeFrom(next);
    (current_ ? current_->next : first_) = nullptr;
    const size_t grown = current_ ? current_->capacity * 2 : kSmallestBlock;
    next = allocate(std::max(bytes, std::min(grown, kKeptBytes / 8)));
    (current_ ? current_->next : first_) = next;
  }
  current_ = next;
  used_ = bytes;
  return next->data();
}

void Scratch::freeFrom(Block* block) {
  while (block) {
    Block* next = block->next;
    deallocate(block);
    block = next;
  }
}

void Scratch::trim() {
  size_t kept = 0;
  for (Block** link = &first_; *link; link = &(*link)->next) {
    kept += (*link)->capacity;
    if (kept > kKeptBytes) {
      freeFrom(*link);
      *link = nullptr;
      return;
    }
  }
}

Scratch::Scope::Scope(Scratch& scratch)
    : scratch_(scratch), block_(scratch.current_), used_(scratch.used_) {
  ++scratch.depth_;
}

Scratch::Scope::~Scope() {
  scratch_.current_ = block_;
  scratch_.used_ = used_;
  if (--scratch_.depth_ == 0) scratch_.trim();
}

}  // namespace fovea
