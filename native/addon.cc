// The Node-API module: one native state per JavaScript environment, and the functions of
// lib/core/addon.ts. It knows no operation; they register themselves.
#include <node_api.h>

#include <memory>
#include <new>

#include "bridge/calls.h"

namespace fovea::bridge {

namespace {

struct Function {
  const char* name;
  napi_callback callback;
};

constexpr Function kFunctions[] = {
    {"ops", ops},
    {"run", run},
    {"submit", submit},
    {"cancel", cancel},
    {"progress", progress},
    {"flops", flops},
    {"packedFloats", packedFloats},
    {"pack", pack},
    {"configure", configure},
    {"getNumThreads", getNumThreads},
    {"setNumThreads", setNumThreads},
    {"maxThreads", getMaxThreads},
    {"info", describe},
    {"cpuQuota", readQuota},
    {"selectIsa", switchIsa},
};

void onFinalize(napi_env, void* environment, void*) {
  delete static_cast<Environment*>(environment);
}

// The thread-safe function comes first: cleanup hooks run in reverse order, so ours still finds it open.
bool attach(napi_env env, napi_value exports) {
  auto* environment = new (std::nothrow) Environment;
  napi_value name;
  if (!environment || napi_create_string_utf8(env, "fovea", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, environment, onFinalize,
                                      environment, onLoop, &environment->settle) != napi_ok) {
    delete environment;
    return false;
  }
  // Referenced only while calls are pending: an idle engine does not keep the process alive.
  if (napi_unref_threadsafe_function(env, environment->settle) != napi_ok ||
      napi_add_env_cleanup_hook(env, onCleanup, environment) != napi_ok) {
    return false;
  }
  for (const Function& function : kFunctions) {
    napi_value value;
    if (napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.callback, environment,
                             &value) != napi_ok ||
        napi_set_named_property(env, exports, function.name, value) != napi_ok) {
      return false;
    }
  }
  return true;
}

}  // namespace

}  // namespace fovea::bridge

NAPI_MODULE_INIT() {
  if (fovea::bridge::attach(env, exports)) return exports;
  bool thrown = false;
  if (napi_is_exception_pending(env, &thrown) == napi_ok && !thrown) {
    napi_throw_error(env, "ERR_FOVEA_BINARY", "fovea: the addon could not attach to this environment.");
  }
  return nullptr;
}
