#include "core/crew.h"

#include <thread>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace fovea {

namespace {

// Looks before going to sleep, 30 to 50 microseconds: what waking a thread takes.
constexpr int kLooks = 800;

void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#else
  std::this_thread::yield();
#endif
}

}  // namespace

bool Crew::await(uint32_t seen, bool maySleep) {
  for (int i = 0; i < kLooks; ++i) {
    if (turn_.load() != seen) return true;
    pause();
  }
  if (maySleep) turn_.wait(seen);
  return turn_.load() != seen;
}

void Crew::next() {
  turn_.fetch_add(1);
  turn_.notify_one();
}

void Crew::serve() {
  for (bool closed = false;;) {
    const uint32_t seen = turn_.load();
    if (open_.load()) {
      closed = false;
      joined_.store(true);
      if (const Work* work = work_.load()) (*work)();
      joined_.store(false);
      joined_.notify_one();
    } else if (closed) {
      return;
    } else {
      closed = true;
    }
    if (!await(seen, !closed)) return;
  }
}

void Crew::open() {
  open_.store(true);
  next();
}

void Crew::close() {
  open_.store(false);
  next();
}

void Crew::lead(Work own, const Work& others) {
  work_.store(&others);
  next();
  own();
  // The crew says that it joins before it looks for work: either it finds none now, or it is seen.
  work_.store(nullptr);
  for (int i = 0; i < kLooks && joined_.load(); ++i) pause();
  joined_.wait(true);
}

}  // namespace fovea
