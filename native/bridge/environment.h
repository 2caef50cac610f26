// What one JavaScript environment (the main thread, a Worker) keeps on the native side. Everything
// here is touched by that environment's thread alone.
#pragma once
#include <node_api.h>

#include <cstdint>
#include <unordered_map>

#include "bridge/failure.h"

namespace fovea::bridge {

struct PendingCall;

struct Environment {
  napi_threadsafe_function settle = nullptr;  // brings finished jobs from the lane to JavaScript
  std::unordered_map<int64_t, PendingCall*> pending;
  bool closed = false;  // its cleanup has run: no call is pending any more
  int threads = 1;
  const char* threadsFrom = "affinity";
  Problem problem;  // what is wrong with the environment variables, told at every use
};

}  // namespace fovea::bridge
