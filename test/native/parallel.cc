#include "core/parallel.h"

#include <omp.h>

#include <atomic>
#include <new>
#include <vector>

#include "check.h"

using namespace fovea;

namespace {

struct Setting {
  Control control;
  Call call;
  explicit Setting(int threads) {
    call.control = &control;
    call.threads = threads;
  }
};

bool flushes() {
  volatile float smallest = 1e-38f;
  return smallest / 4 == 0;
}

}  // namespace

TEST(loopsRunEveryIndexOnceOnAnyNumberOfThreads) {
  for (const int threads : {1, 2, 3, 7}) {
    Setting setting(threads);
    std::vector<std::atomic<int>> runs(1000);
    parallelFor(setting.call, 1000, [&](int64_t i, Scratch& scratch) {
      CHECK(&scratch == &Scratch::ofThread());
      scratch.floats(100)[99] = 1;
      ++runs[static_cast<size_t>(i)];
    });
    for (const auto& count : runs) CHECK(count == 1);
    CHECK(setting.control.tilesDone == 1000 && setting.control.tilesTotal == 1000);
  }
  Setting setting(2);
  parallelFor(setting.call, 0, [](int64_t, Scratch&) { CHECK(false); });
}

TEST(loopsFlushSubnormalsAndRestoreTheMode) {
  CHECK(!flushes());
  for (const int threads : {1, 3}) {
    Setting setting(threads);
    parallelFor(setting.call, 10, [](int64_t, Scratch&) { CHECK(flushes()); });
    CHECK(!flushes());
  }
}

TEST(loopsRethrowMissingMemoryOnTheCallersThread) {
  for (const int threads : {1, 3}) {
    Setting setting(threads);
    bool thrown = false;
    try {
      parallelFor(setting.call, 100, [](int64_t i, Scratch&) {
        if (i == 50) throw std::bad_alloc();
      });
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    CHECK(thrown && setting.control.tilesDone < 100);
    CHECK(!flushes());
  }
}

TEST(loopsSkipWhatIsLeftOnceCancelled) {
  for (const int threads : {1, 3}) {
    Setting setting(threads);
    parallelFor(setting.call, 1'000'000, [&](int64_t i, Scratch&) {
      if (i == 10) setting.control.cancelled = true;
    });
    CHECK(setting.control.tilesDone < 1'000'000);
    parallelFor(setting.call, 10, [](int64_t, Scratch&) { CHECK(false); });
  }
}

TEST(loopsInsideLoopsStayOnTheirThread) {
  Setting setting(3);
  parallelFor(setting.call, 8, [&](int64_t, Scratch&) {
    const int thread = omp_get_thread_num();
    parallelFor(setting.call, 8, [&](int64_t, Scratch&) {
      CHECK(omp_get_level() == 1 && omp_get_thread_num() == thread);
    });
  });
}
