// The compute lane: one thread per process that owns the engine's only OpenMP team (libgomp gives a
// team to the thread that opens it, so a second opener would double the threads). Promise calls
// queue here; a large synchronous call has it for a crew when nobody else is here.
#pragma once
#include <cstdint>

#include "core/call.h"

namespace fovea {

enum class Outcome : uint8_t { kDone, kCancelled, kMemory };

struct Job {
  Call call;  // call.threads: the most that this job may use; call.control is set by `execute`
  Control control;
  int team = 1;         // how many one-threaded jobs may run side by side with this one
  bool small = false;   // over sooner than a team wakes
  double priority = 0;  // larger first
  const void* owner = nullptr;
  // Called when the job is over, on the lane's thread and under its lock. Queued jobs have one.
  void (*settled)(Job*) noexcept = nullptr;
  Outcome outcome = Outcome::kDone;

  bool oneThread() const { return small || call.threads <= 1; }
  // Runs the operation on the calling thread (and the team it opens, should call.threads allow
  // one).
  void execute() noexcept;

  uint64_t sequence = 0;  // the lane's own
};

namespace lane {

// Runs the job on the calling thread, which need not wait for anybody to wake, with the lane's
// threads at its loops; false, and nothing has happened, where the lane is busy or cannot be
// started.
bool tryRun(Job& job);

// Queues the job. False where there is no memory or no thread for it.
bool submit(Job* job);

// True: the job was still queued, and the lane has forgotten it without settling it. False: it runs
// or is over; if it runs it will be settled soon, as cancelled.
bool cancel(Job* job);

// Returns when no job of this owner runs any more. Cancel them before.
void waitFor(const void* owner);

}  // namespace lane

}  // namespace fovea
