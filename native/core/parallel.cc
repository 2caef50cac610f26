#include "core/parallel.h"

#include <omp.h>

#include <atomic>
#include <exception>

#include "core/floatMode.h"
#include "core/threads.h"

namespace fovea {

namespace {

// What the threads of one loop share.
struct Loop {
  Control& control;
  int64_t count;
  LoopBody body;
  void* context;
  std::atomic<int64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr failure = nullptr;  // written by the thread that set `failed`

  void work() noexcept {
    const FlushToZero mode;
    Scratch& scratch = Scratch::ofThread();
    for (;;) {
      if (control.cancelled.load(std::memory_order_relaxed)) return;
      if (failed.load(std::memory_order_relaxed)) return;
      const int64_t index = next.fetch_add(1, std::memory_order_relaxed);
      if (index >= count) return;
      try {
        const Scratch::Scope scope(scratch);
        body(context, index, scratch);
      } catch (...) {
        if (!failed.exchange(true)) failure = std::current_exception();
        return;
      }
      control.tilesDone.fetch_add(1, std::memory_order_relaxed);
    }
  }
};

}  // namespace

void parallelForImpl(const Call& call, int64_t count, LoopBody body, void* context) {
  if (count <= 0) return;
  Loop loop{*call.control, count, body, context};
  loop.control.tilesTotal.fetch_add(count, std::memory_order_relaxed);
  // A loop inside a loop stays on its thread: a nested region would open a second team.
  if (call.threads <= 1 || count == 1 || omp_in_parallel()) {
    loop.work();
  } else {
    // The whole team even for a few indices: libgomp ends the threads that a smaller region leaves
    // out and starts them anew for the next.
    const int threads = startableThreads(call.threads);
#pragma omp parallel num_threads(threads)
    loop.work();
  }
  if (loop.failure) std::rethrow_exception(loop.failure);
}

}  // namespace fovea
