// The Node-API module: one native state per JavaScript environment, and the functions of
// lib/core/addon.ts. It knows no operation; they register themselves.
#include <node_api.h>

#include <memory>
#include <new>

#include "bridge/calls.h"

namespace fovea::bridge {

namespace {

// No exception may pass through Node: what is thrown here is missing memory.
template <napi_callback callback>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return callback(env, info);
  } catch (...) {
    napi_throw_error(env, "ERR_FOVEA_MEMORY",
                     "fovea: there must be memory for the call; got none.");
    return nullptr;
  }
}

struct Function {
  const char* name;
  napi_callback callback;
};

constexpr Function kFunctions[] = {
    {"ops", guarded<ops>},
    {"run", guarded<run>},
    {"submit", guarded<submit>},
    {"cancel", guarded<cancel>},
    {"progress", guarded<progress>},
    {"flops", guarded<flops>},
    {"packedFloats", guarded<packedFloats>},
    {"pack", guarded<pack>},
    {"address", guarded<address>},
    {"configure", guarded<configure>},
    {"getNumThreads", guarded<getNumThreads>},
    {"setNumThreads", guarded<setNumThreads>},
    {"maxThreads", guarded<maxThreads>},
    {"info", guarded<info>},
    {"cpuQuota", guarded<cpuQuota>},
    {"selectIsa", guarded<selectIsa>},
};

void onFinalize(napi_env, void* environment, void*) {
  delete static_cast<Environment*>(environment);
}

// The thread-safe function comes first: cleanup hooks run in reverse order, so ours still finds it
// open.
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
    napi_throw_error(env, "ERR_FOVEA_BINARY",
                     "fovea: the addon could not attach to this environment.");
  }
  return nullptr;
}
