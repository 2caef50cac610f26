#include "core/lane.h"

#include <atomic>
#include <mutex>
#include <new>
#include <random>
#include <thread>
#include <vector>

#include "check.h"
#include "core/parallel.h"
#include "core/registry.h"

using namespace fovea;

namespace {

void run(const Call& call) {
  parallelFor(call, call.integer(0), [](int64_t, Scratch& scratch) {
    volatile float* values = scratch.floats(100);
    for (int i = 0; i < 100; ++i) values[i] = 1;
  });
}
double flops(const Call&) { return 1; }
const Op busy = {"busy", run, flops};

// A loop that ends once each of the call's threads is in it, then one that fails.
void meet(const Call& call) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> there{0};
    parallelFor(call, call.threads, [&](int64_t, Scratch&) {
      ++there;
      while (there < call.threads) std::this_thread::yield();
    });
  }
  parallelFor(call, 100, [](int64_t, Scratch&) { throw std::bad_alloc(); });
}
const Op meeting = {"meeting", meet, flops};

// Runs until it is opened.
std::atomic<bool> open{false};
void waitAtGate(const Call&) {
  while (!open) std::this_thread::yield();
}
const Op gate = {"gate", waitAtGate, flops};

// What an environment is to the bridge: its jobs, and those that the lane has settled.
struct Owner {
  struct Queued : Job {
    double tiles = 0;
  };

  std::mutex mutex;
  std::vector<Queued*> settled;
  std::vector<Queued*> live;

  Queued* submit(double tiles, int threads, bool small, double priority, const Op& op = busy) {
    auto* job = new Queued;
    job->tiles = tiles;
    job->call.op = &op;
    job->call.params = {&job->tiles, 1};
    job->call.threads = threads;
    job->team = 3;
    job->small = small;
    job->priority = priority;
    job->owner = this;
    job->settled = [](Job* over) noexcept {
      auto* owner = static_cast<Owner*>(const_cast<void*>(over->owner));
      const std::lock_guard lock(owner->mutex);
      owner->settled.push_back(static_cast<Queued*>(over));
    };
    live.push_back(job);
    CHECK(lane::submit(job));
    return job;
  }
  void forget(Queued* job) {
    std::erase(live, job);
    delete job;
  }
  void reap() {
    std::vector<Queued*> over;
    {
      const std::lock_guard lock(mutex);
      over.swap(settled);
    }
    for (Queued* job : over) forget(job);
  }
  void close() {
    for (Queued* job : std::vector<Queued*>(live)) {
      if (lane::cancel(job)) forget(job);
    }
    lane::waitFor(this);
    reap();
    CHECK(live.empty());
  }
};

}  // namespace

TEST(laneSettlesEveryJobOfEveryOwner) {
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([seed] {
      std::mt19937 generator(seed);
      const auto random = [&](unsigned below) { return static_cast<int>(generator() % below); };
      Owner owner;
      for (int i = 0; i < 1000; ++i) {
        if (random(4) == 0) {
          Job job;
          const double tiles = random(50);
          job.call.op = &busy;
          job.call.params = {&tiles, 1};
          job.call.threads = 3;
          if (!lane::tryRun(job)) job.execute();
          CHECK(job.outcome == Outcome::kDone &&
                job.control.tilesDone == static_cast<int64_t>(tiles));
        } else {
          owner.submit(random(200), 1 + random(3), random(2) == 0, random(3));
        }
        if (random(20) == 0 && !owner.live.empty()) {
          auto* job = owner.live[generator() % owner.live.size()];
          if (lane::cancel(job)) owner.forget(job);
        }
        owner.reap();
        while (owner.live.size() > 20) {
          std::this_thread::yield();
          owner.reap();
        }
        if (random(300) == 0) owner.close();
      }
      owner.close();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(laneIsTheCrewOfWhoCallsSynchronously) {
  for (const int threads : {2, 3, 5, 2}) {
    Job job;
    job.call.op = &meeting;
    job.call.threads = threads;
    // The job before is over, its threads may still be on their way.
    while (!lane::tryRun(job)) std::this_thread::yield();
    CHECK(job.outcome == Outcome::kMemory && job.control.tilesDone == 20 * threads);
  }
}

TEST(laneRunsLargerPrioritiesFirstAndEqualOnesInOrder) {
  Owner owner;
  owner.submit(0, 3, false, 100, gate);
  std::vector<Owner::Queued*> queued;
  for (const double priority : {0.0, 1.0, 0.0, -1.0, 1.0}) {
    queued.push_back(owner.submit(10, 3, false, priority));
  }
  open = true;
  for (size_t over = 0; over < 6;) {
    std::this_thread::yield();
    const std::lock_guard lock(owner.mutex);
    over = owner.settled.size();
  }
  const size_t order[] = {1, 4, 0, 2, 3};
  for (size_t i = 0; i < 5; ++i) CHECK(owner.settled[i + 1] == queued[order[i]]);
  owner.close();
}

TEST(laneForgetsQueuedJobsAtOnceAndIsBusyToOthers) {
  open = false;
  Owner owner;
  auto* running = owner.submit(0, 3, false, 0, gate);
  auto* queued = owner.submit(10, 3, false, 0);
  CHECK(lane::cancel(queued));
  owner.forget(queued);
  Job job;
  CHECK(!lane::tryRun(job));
  open = true;
  // Where the lane had not taken it yet it is forgotten too, else it settles as cancelled.
  if (lane::cancel(running)) owner.forget(running);
  owner.close();
}
