#include "core/lane.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <new>
#include <set>
#include <system_error>
#include <thread>
#include <vector>

#if !defined(_WIN32)
#include <pthread.h>
#include <signal.h>
#endif

#include "core/crew.h"
#include "core/floatMode.h"
#include "core/parallel.h"
#include "core/registry.h"
#include "core/threads.h"

namespace fovea {

struct Lane {
  struct Before {
    bool operator()(const Job* a, const Job* b) const {
      return a->priority != b->priority ? a->priority > b->priority : a->sequence < b->sequence;
    }
  };

  std::mutex mutex;
  std::condition_variable work;  // something was queued, or the last running job is over
  std::condition_variable over;  // a job is over
  std::set<Job*, Before> queue;
  std::vector<Job*> running;
  uint64_t sequence = 0;
  bool started = false;
  bool lent = false;  // to the leader of a call, as its crew
  Crew crew;

  // Leaked: the lane's thread outlives static destructors.
  static Lane& instance() {
    static Lane* lane = new Lane;
    return *lane;
  }

  bool start();
  bool push(Job* job);
  Job* take();
  void finish(Job* job);
  void loop();
  void sideBySide(std::unique_lock<std::mutex>& lock, int team);
  void drainOneThreaded();
};

void Job::execute() noexcept {
  call.control = &control;
  const FlushToZero
      mode;  // what an operation computes outside its loops has the same bits everywhere
  try {
    call.op->run(call);
    outcome = control.cancelled ? Outcome::kCancelled : Outcome::kDone;
  } catch (...) {
    // Operations throw std::bad_alloc and its kin, nothing else.
    outcome = Outcome::kMemory;
  }
}

// All of these are called under the lock.

bool Lane::start() {
  if (started) return true;
  try {
    running.reserve(static_cast<size_t>(maxThreads()));
#if defined(_WIN32)
    std::thread([this] { loop(); }).detach();
#else
    // Signals belong to the threads that run JavaScript; the team inherits the mask.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([this] { loop(); }).detach();
    } catch (...) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
#endif
    started = true;
  } catch (const std::bad_alloc&) {
  } catch (const std::system_error&) {
  }
  return started;
}

bool Lane::push(Job* job) {
  if (!start()) return false;
  job->sequence = ++sequence;
  try {
    queue.insert(job);
  } catch (const std::bad_alloc&) {
    return false;
  }
  work.notify_one();
  crew.stir();
  return true;
}

Job* Lane::take() {
  Job* job = *queue.begin();
  queue.erase(queue.begin());
  running.push_back(job);
  return job;
}

void Lane::finish(Job* job) {
  std::erase(running, job);
  if (running.empty()) work.notify_all();
  // Whoever waits may free the job once the lock is released.
  job->settled(job);
  over.notify_all();
}

void Lane::loop() {
  std::unique_lock lock(mutex);
  for (;;) {
    work.wait(lock, [&] { return !queue.empty() || lent; });
    if (lent) {
      lock.unlock();
      crew.serve();
      lock.lock();
      continue;
    }
    Job* head = *queue.begin();
    if (head->oneThread() && head->team > 1 && !(head->small && queue.size() == 1)) {
      sideBySide(lock, head->team);
      continue;
    }
    take();
    lock.unlock();
    if (head->small) head->call.threads = 1;
    head->execute();
    lock.lock();
    finish(head);
  }
}

// One-threaded jobs run side by side on the team until the queue is dry or a larger one is due.
void Lane::sideBySide(std::unique_lock<std::mutex>& lock, int team) {
  lock.unlock();
  Control control;
  Call call;
  call.threads = team;
  call.control = &control;
  parallelFor(call, team, [this](int64_t, Scratch&) { drainOneThreaded(); });
  lock.lock();
}

void Lane::drainOneThreaded() {
  std::unique_lock lock(mutex);
  for (;;) {
    if (queue.empty()) {
      if (running.empty()) return;
      // Another of the team still computes: stay, for what may arrive meanwhile.
      work.wait(lock);
      continue;
    }
    if (!(*queue.begin())->oneThread()) return;
    Job* job = take();
    lock.unlock();
    job->call.threads = 1;
    job->execute();
    lock.lock();
    finish(job);
  }
}

namespace lane {

bool tryRun(Job& job) {
  Lane& lane = Lane::instance();
  {
    const std::lock_guard lock(lane.mutex);
    if (lane.lent || !lane.queue.empty() || !lane.running.empty() || !lane.start()) return false;
    lane.lent = true;
    lane.crew.open();
    lane.work.notify_one();
  }
  job.control.crew = &lane.crew;
  job.execute();
  lane.crew.close();
  const std::lock_guard lock(lane.mutex);
  lane.lent = false;
  return true;
}

bool submit(Job* job) {
  Lane& lane = Lane::instance();
  const std::lock_guard lock(lane.mutex);
  return lane.push(job);
}

bool cancel(Job* job) {
  Lane& lane = Lane::instance();
  const std::lock_guard lock(lane.mutex);
  job->control.cancelled = true;
  return lane.queue.erase(job) > 0;
}

void waitFor(const void* owner) {
  Lane& lane = Lane::instance();
  std::unique_lock lock(lane.mutex);
  lane.over.wait(lock, [&] {
    return std::none_of(lane.running.begin(), lane.running.end(),
                        [&](const Job* job) { return job->owner == owner; });
  });
}

}  // namespace lane

}  // namespace fovea
