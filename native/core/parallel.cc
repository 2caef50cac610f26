#include "core/parallel.h"

#include <omp.h>

#include <atomic>
#include <exception>
#include <utility>

#include "core/crew.h"
#include "core/floatMode.h"
#include "core/threads.h"

namespace fovea {

namespace {

// Whether the calling thread is at work in a loop.
thread_local bool insideLoop = false;

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
    const bool before = std::exchange(insideLoop, true);
    while (step(scratch)) {
    }
    insideLoop = before;
  }

  // By `threads` threads: the calling one and its team or, beside a leader at work, one fewer.
  void share(int threads, bool led) {
    if (threads - led == 1) return work();
    // The whole team even for a few indices: libgomp ends the threads that a smaller region leaves
    // out and starts them anew for the next.
#pragma omp parallel num_threads(threads)
    if (omp_get_thread_num() + led < threads) work();
  }

 private:
  // One index; false where there is none left to do.
  bool step(Scratch& scratch) noexcept {
    if (control.cancelled.load(std::memory_order_relaxed)) return false;
    if (failed.load(std::memory_order_relaxed)) return false;
    const int64_t index = next.fetch_add(1, std::memory_order_relaxed);
    if (index >= count) return false;
    try {
      const Scratch::Scope scope(scratch);
      body(context, index, scratch);
    } catch (...) {
      if (!failed.exchange(true)) failure = std::current_exception();
      return false;
    }
    control.tilesDone.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
};

}  // namespace

void parallelForImpl(const Call& call, int64_t count, LoopBody body, void* context) {
  if (count <= 0) return;
  Loop loop{*call.control, count, body, context};
  loop.control.tilesTotal.fetch_add(count, std::memory_order_relaxed);
  // A loop inside a loop stays on its thread: a nested region would open a second team.
  const int threads = count == 1 || insideLoop ? 1 : startableThreads(call.threads);
  if (threads <= 1) {
    loop.work();
  } else if (Crew* crew = call.control->crew) {
    const auto others = [&] { loop.share(threads, true); };
    crew->lead([&] { loop.work(); }, others);
  } else {
    loop.share(threads, false);
  }
  if (loop.failure) std::rethrow_exception(loop.failure);
}

}  // namespace fovea
