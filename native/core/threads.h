// How many threads a call may use by default: what the scheduler and the container allow, not what
// the machine has.
#pragma once

namespace fovea {

// More than this is refused.
int maxThreads();

// How many threads, the calling one included, of `wanted` the system is willing to run now, with
// room for their memory: OpenMP ends the process when it cannot start one, glibc when a thread
// finds no room for its variables. Tries it, at the first call with so many.
int startableThreads(int wanted);

// CPUs this process may run on.
int affinityCount();

// CPUs' worth of time that the control groups (v1 or v2) of this process allow, infinite where they
// set no limit. `root` stands before every path that is read, for tests.
double cpuQuota(const char* root = "");

struct ThreadCount {
  int threads;
  const char* from;  // which rule won
};

// min(affinity, whole CPUs of the quota), at least 1; read once.
const ThreadCount& machineThreads();

}  // namespace fovea
