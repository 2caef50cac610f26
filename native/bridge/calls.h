// The native functions of lib/core/addon.ts, under the names that they have there; it says what
// each does.
#pragma once
#include <node_api.h>

#include "bridge/arguments.h"
#include "core/isa.h"
#include "core/storedCall.h"

namespace fovea::bridge {

// calls.cc
napi_value run(napi_env env, napi_callback_info info);
napi_value flops(napi_env env, napi_callback_info info);
napi_value packedFloats(napi_env env, napi_callback_info info);
napi_value pack(napi_env env, napi_callback_info info);
napi_value address(napi_env env, napi_callback_info info);

// promises.cc
napi_value submit(napi_env env, napi_callback_info info);
napi_value cancel(napi_env env, napi_callback_info info);
napi_value progress(napi_env env, napi_callback_info info);
void onLoop(napi_env env, napi_value function, void* environment, void* call);
void onCleanup(void* environment);  // cancels the environment's calls and waits for the running one

// settings.cc
napi_value ops(napi_env env, napi_callback_info info);
napi_value configure(napi_env env, napi_callback_info info);
napi_value getNumThreads(napi_env env, napi_callback_info info);
napi_value setNumThreads(napi_env env, napi_callback_info info);
napi_value maxThreads(napi_env env, napi_callback_info info);
napi_value info(napi_env env, napi_callback_info given);
napi_value cpuQuota(napi_env env, napi_callback_info info);
napi_value selectIsa(napi_env env, napi_callback_info info);

// Shared by calls.cc and promises.cc: reads the call into `stored` and completes it. False: an
// error has been thrown.
bool prepare(napi_env env, const Arguments& arguments, StoredCall& stored);

// How many operations one thread does in about so many microseconds, at three quarters of the peak
// of a 3 GHz core with two multiply-add units.
inline double flopsIn(double microseconds) {
  return microseconds * 200 * isaVectorBits(currentIsa());
}

// A synchronous call with less work leads nobody: the crew takes 25 to 75 us to wake.
inline constexpr double kCrewMicroseconds = 200;
// A queued job with less work does not wake the team.
inline constexpr double kSmallMicroseconds = 50;

}  // namespace fovea::bridge
