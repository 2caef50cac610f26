// The other threads of a call whose own thread leads it: the lane's, and the team that it opens.
// The leader is at work at once; the crew joins each of its loops as soon as it is awake.
#pragma once
#include <atomic>
#include <cstdint>

#include "core/functionRef.h"

namespace fovea {

class Crew {
 public:
  using Work = FunctionRef<void()>;

  // On the lane's thread: joins the loops that are led until the leader closes, and stays a little
  // longer, because the next leader may open at once; but not where somebody stirs.
  void serve();
  void stir() { next(); }

  // On the leader's thread; one at a time.
  void open();
  void close();
  // Runs `own` here and, where the crew is awake before that is over, `others` there; returns when
  // neither runs. `own` does not throw.
  void lead(Work own, const Work& others);

 private:
  void next();
  // Whether the turn is another one than `seen` now or soon; for as long as that takes where it may
  // sleep.
  bool await(uint32_t seen, bool maySleep);

  std::atomic<bool> open_{false};
  std::atomic<const Work*> work_{nullptr};
  std::atomic<bool> joined_{false};  // the crew may be at work_
  std::atomic<uint32_t> turn_{0};    // changes whenever there is something to see
};

}  // namespace fovea
