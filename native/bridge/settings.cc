#include <cmath>
#include <cstdlib>
#include <mutex>
#include <string>

#include "bridge/calls.h"
#include "core/isa.h"
#include "core/threads.h"

namespace fovea::bridge {

namespace {

bool text(napi_env env, const std::string& string, napi_value* value) {
  return napi_create_string_utf8(env, string.data(), string.size(), value) == napi_ok;
}

std::string isaNames() {
  std::string names;
  for (const Isa isa : supportedIsas())
    names += (names.empty() ? "" : ", ") + std::string(isaName(isa));
  return names;
}

// False where the value is not a string (undefined: the variable is not set) or empty.
bool readText(napi_env env, napi_value value, std::string* string) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return false;
  string->resize(length + 1);
  if (napi_get_value_string_utf8(env, value, string->data(), length + 1, &length) != napi_ok) {
    return false;
  }
  string->resize(length);
  return length > 0;
}

// 0 where the text does not begin with a number that ends there or at a comma (OMP_NUM_THREADS may
// list one for each level of nesting) and can be started.
int readThreads(const std::string& string) {
  char* end = nullptr;
  const double threads = std::strtod(string.c_str(), &end);
  const bool whole =
      threads >= 1 && threads <= fovea::maxThreads() && threads == std::trunc(threads);
  return whole && (*end == '\0' || *end == ',') ? static_cast<int>(threads) : 0;
}

std::string threadsRule() {
  return "be a whole number from 1 to " + std::to_string(fovea::maxThreads());
}

// The kernels of a process run on one instruction set: the first environment that asks decides, and
// a Worker that wants another is told so.
Problem chooseIsa(const std::string& name) {
  static std::mutex mutex;
  static bool chosen = false;
  static Isa choice;
  const std::lock_guard lock(mutex);
  if (!chosen) {
    if (!name.empty() && !fovea::selectIsa(name.c_str())) {
      return {"ERR_FOVEA_ISA", "FOVEA_ISA", "be one of " + isaNames(), "'" + name + "'", -1};
    }
    chosen = true;
    choice = currentIsa();
  } else if (!name.empty() && name != isaName(choice)) {
    return {"ERR_FOVEA_ISA", "FOVEA_ISA",
            std::string("be ") + isaName(choice) + ", which this process already runs on",
            "'" + name + "'", -1};
  }
  return {};
}

Environment* environmentOf(napi_env env, napi_callback_info info, size_t* count,
                           napi_value* values) {
  void* data = nullptr;
  const napi_status status = napi_get_cb_info(env, info, count, values, nullptr, &data);
  return status == napi_ok ? static_cast<Environment*>(data) : nullptr;
}

napi_value integerValue(napi_env env, int number) {
  napi_value value;
  return napi_create_int32(env, number, &value) == napi_ok ? value : nullptr;
}

}  // namespace

napi_value ops(napi_env env, napi_callback_info) {
  napi_value names, name;
  if (napi_create_array(env, &names) != napi_ok) return nullptr;
  uint32_t index = 0;
  for (const Op& op : registry()) {
    if (!text(env, op.name, &name) || napi_set_element(env, names, index++, name) != napi_ok) {
      return nullptr;
    }
  }
  return names;
}

napi_value configure(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value values[3];
  Environment* environment = environmentOf(env, info, &count, values);
  if (!environment) return nullptr;
  environment->threads = machineThreads().threads;
  environment->threadsFrom = machineThreads().from;
  std::string variable;
  if (readText(env, values[1], &variable) && readThreads(variable) > 0) {
    environment->threads = readThreads(variable);
    environment->threadsFrom = "OMP_NUM_THREADS";
  }
  Problem problem;
  if (readText(env, values[0], &variable)) {
    const int threads = variable.find(',') == std::string::npos ? readThreads(variable) : 0;
    if (threads > 0) {
      environment->threads = threads;
      environment->threadsFrom = "FOVEA_NUM_THREADS";
    } else {
      problem = {"ERR_FOVEA_OPTION", "FOVEA_NUM_THREADS", threadsRule(), "'" + variable + "'", -1};
    }
  }
  if (!readText(env, values[2], &variable)) variable.clear();
  if (Problem isa = chooseIsa(variable)) problem = isa;
  environment->problem = problem;
  return nullptr;
}

napi_value getNumThreads(napi_env env, napi_callback_info info) {
  size_t count = 0;
  const Environment* environment = environmentOf(env, info, &count, nullptr);
  return environment ? integerValue(env, environment->threads) : nullptr;
}

napi_value setNumThreads(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value;
  Environment* environment = environmentOf(env, info, &count, &value);
  if (!environment) return nullptr;
  double threads = 0;
  if (napi_get_value_double(env, value, &threads) != napi_ok || !(threads >= 1) ||
      threads > fovea::maxThreads() || threads != std::trunc(threads)) {
    return throwError(env, {"ERR_FOVEA_OPTION", "threads", threadsRule(), "", -1});
  }
  environment->threads = static_cast<int>(threads);
  environment->threadsFrom = "setNumThreads";
  return nullptr;
}

napi_value maxThreads(napi_env env, napi_callback_info) {
  return integerValue(env, fovea::maxThreads());
}

napi_value info(napi_env env, napi_callback_info given) {
  size_t count = 0;
  const Environment* environment = environmentOf(env, given, &count, nullptr);
  if (!environment) return nullptr;
  if (environment->problem) return throwError(env, environment->problem);
  napi_value object, value, element;
  if (napi_create_object(env, &object) != napi_ok) return nullptr;
  const auto set = [&](const char* name, bool created) {
    return created && napi_set_named_property(env, object, name, value) == napi_ok;
  };
  const Isa isa = currentIsa();
  if (!set("version", text(env, FOVEA_VERSION, &value)) ||
      !set("isa", text(env, isaName(isa), &value)) ||
      !set("isas", napi_create_array(env, &value) == napi_ok)) {
    return nullptr;
  }
  uint32_t index = 0;
  for (const Isa supported : supportedIsas()) {
    if (!text(env, isaName(supported), &element) ||
        napi_set_element(env, value, index++, element) != napi_ok) {
      return nullptr;
    }
  }
  if (!set("vectorBits", napi_create_int32(env, isaVectorBits(isa), &value) == napi_ok) ||
      !set("threads", napi_create_int32(env, environment->threads, &value) == napi_ok) ||
      !set("threadsFrom", text(env, environment->threadsFrom, &value)) ||
      !set("compiler", text(env, FOVEA_COMPILER, &value))) {
    return nullptr;
  }
  return object;
}

napi_value cpuQuota(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value;
  std::string root;
  if (!environmentOf(env, info, &count, &value)) return nullptr;
  readText(env, value, &root);
  return napi_create_double(env, fovea::cpuQuota(root.c_str()), &value) == napi_ok ? value
                                                                                   : nullptr;
}

napi_value selectIsa(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value;
  std::string name;
  if (!environmentOf(env, info, &count, &value)) return nullptr;
  const bool switched = readText(env, value, &name) && fovea::selectIsa(name.c_str());
  return napi_get_boolean(env, switched, &value) == napi_ok ? value : nullptr;
}

}  // namespace fovea::bridge
