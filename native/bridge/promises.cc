#include <cmath>
#include <memory>
#include <new>

#include "bridge/calls.h"
#include "core/lane.h"

namespace fovea::bridge {

struct PendingCall : Job {
  StoredCall stored;
  napi_threadsafe_function settle = nullptr;
  napi_deferred deferred = nullptr;
  napi_ref arrays = nullptr;
  int64_t id = 0;
};

namespace {

// A queued call holds a few kilobytes: a runaway producer is told so before it fills the memory.
constexpr size_t kMostPending = 16384;

bool isId(double id) { return std::abs(id) <= 9007199254740991.0 && id == std::trunc(id); }

// On the lane's thread. Nothing is lost when it fails: the environment is then going down, and its
// cleanup frees the call.
void onLane(Job* job) noexcept {
  auto* call = static_cast<PendingCall*>(job);
  napi_call_threadsafe_function(call->settle, call, napi_tsfn_nonblocking);
}

// Any call into the environment may fail while a Worker is being terminated; then nobody is left
// who could see the promise.
void settlePromise(napi_env env, PendingCall& call, const Problem& problem) {
  napi_value value = nullptr;
  if (problem) {
    value = createError(env, problem);
    if (value) napi_reject_deferred(env, call.deferred, value);
  } else if (napi_get_undefined(env, &value) == napi_ok) {
    napi_resolve_deferred(env, call.deferred, value);
  }
}

void forget(napi_env env, Environment& environment, PendingCall* call) {
  environment.pending.erase(call->id);
  if (environment.pending.empty()) napi_unref_threadsafe_function(env, environment.settle);
  napi_delete_reference(env, call->arrays);
  delete call;
}

// Keeps the typed arrays, and so their buffers, until the promise has settled.
bool keepAlive(napi_env env, std::span<napi_value> values, napi_ref* reference) {
  napi_value array;
  if (napi_create_array_with_length(env, values.size(), &array) != napi_ok) return false;
  for (size_t i = 0; i < values.size(); ++i) {
    if (napi_set_element(env, array, static_cast<uint32_t>(i), values[i]) != napi_ok) return false;
  }
  return napi_create_reference(env, array, 1, reference) == napi_ok;
}

PendingCall* find(napi_env env, napi_callback_info info, Environment** environment) {
  napi_value value;
  size_t count = 1;
  void* data = nullptr;
  double id = 0;
  if (napi_get_cb_info(env, info, &count, &value, nullptr, &data) != napi_ok || count < 1 ||
      napi_get_value_double(env, value, &id) != napi_ok || !isId(id)) {
    return nullptr;
  }
  *environment = static_cast<Environment*>(data);
  const auto found = (*environment)->pending.find(static_cast<int64_t>(id));
  return found == (*environment)->pending.end() ? nullptr : found->second;
}

}  // namespace

napi_value submit(napi_env env, napi_callback_info info) {
  Arguments arguments;
  if (!arguments.read(env, info, 2)) return nullptr;
  Environment& environment = *arguments.environment;
  const double id = arguments.number[0], priority = arguments.number[1];
  if (!isId(id) || environment.pending.contains(static_cast<int64_t>(id))) {
    return throwError(env,
                      {"ERR_FOVEA_TYPE", "id", "be an integer that no pending call has", "", -1});
  }
  if (!std::isfinite(priority)) {
    return throwError(env, {"ERR_FOVEA_OPTION", "priority", "be a finite number", "", -1});
  }
  if (environment.pending.size() >= kMostPending) {
    return throwError(env,
                      {"ERR_FOVEA_QUEUE_FULL", "the queue",
                       "hold at most " + std::to_string(kMostPending) + " calls", "one more", -1});
  }
  std::unique_ptr<PendingCall> call(new (std::nothrow) PendingCall);
  if (!call) return throwError(env, problemOf(Outcome::kMemory));
  if (!prepare(env, arguments, call->stored)) return nullptr;
  call->call = call->stored.call;
  call->small = call->call.op->flops(call->call) < flopsIn(kSmallMicroseconds);
  call->team = environment.threads;
  call->priority = priority;
  call->owner = &environment;
  call->settled = onLane;
  call->settle = environment.settle;
  call->id = static_cast<int64_t>(id);

  napi_value promise = nullptr;
  if (!keepAlive(env, arguments.arrayValues, &call->arrays)) return nullptr;
  if (napi_create_promise(env, &call->deferred, &promise) != napi_ok) return nullptr;
  if (environment.pending.empty()) napi_ref_threadsafe_function(env, environment.settle);
  environment.pending.emplace(call->id, call.get());
  PendingCall* queued = call.release();
  if (!lane::submit(queued)) {
    settlePromise(env, *queued, problemOf(Outcome::kMemory));
    forget(env, environment, queued);
  }
  return promise;
}

napi_value cancel(napi_env env, napi_callback_info info) {
  Environment* environment = nullptr;
  PendingCall* call = find(env, info, &environment);
  napi_value value = nullptr;
  if (napi_get_boolean(env, call != nullptr, &value) != napi_ok) value = nullptr;
  if (call && lane::cancel(call)) {
    settlePromise(env, *call, problemOf(Outcome::kCancelled));
    forget(env, *environment, call);
  }
  return value;
}

napi_value progress(napi_env env, napi_callback_info info) {
  Environment* environment = nullptr;
  const PendingCall* call = find(env, info, &environment);
  if (!call) return nullptr;
  napi_value object, done, total;
  // `done` is read first: it never exceeds a total that is read later.
  const auto tilesDone = static_cast<double>(call->control.tilesDone.load());
  const auto tilesTotal = static_cast<double>(call->control.tilesTotal.load());
  if (napi_create_object(env, &object) != napi_ok ||
      napi_create_double(env, tilesDone, &done) != napi_ok ||
      napi_create_double(env, tilesTotal, &total) != napi_ok ||
      napi_set_named_property(env, object, "done", done) != napi_ok ||
      napi_set_named_property(env, object, "total", total) != napi_ok) {
    return nullptr;
  }
  return object;
}

// Runs on the environment's thread for every job that the lane has settled. When the environment
// has gone down meanwhile, the call is gone with it: Node then gives no env, Bun gives it all the
// same.
void onLoop(napi_env env, napi_value, void* context, void* data) {
  auto& environment = *static_cast<Environment*>(context);
  if (!env || environment.closed) return;
  auto* call = static_cast<PendingCall*>(data);
  // A cancelled call rejects even when its last tile was already done.
  const Outcome outcome = call->control.cancelled ? Outcome::kCancelled : call->outcome;
  settlePromise(env, *call, problemOf(outcome));
  forget(env, environment, call);
}

void onCleanup(void* data) {
  auto* environment = static_cast<Environment*>(data);
  environment->closed = true;
  for (const auto& [id, call] : environment->pending) lane::cancel(call);
  lane::waitFor(environment);
  for (const auto& [id, call] : environment->pending) delete call;
  environment->pending.clear();
}

}  // namespace fovea::bridge
