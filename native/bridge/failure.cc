#include "bridge/failure.h"

namespace fovea::bridge {

Problem problemOf(const ReadResult& result) {
  Problem problem;
  problem.slot = result.slot;
  problem.argument = result.slot < 0 ? "the call" : "tensor " + std::to_string(result.slot);
  switch (result.failure) {
    case Failure::kNone:
      break;
    case Failure::kCall:
      problem.code = "ERR_FOVEA_TYPE";
      problem.expected = "be described by well-formed numbers";
      break;
    case Failure::kType:
      problem.code = "ERR_FOVEA_TYPE";
      problem.expected = "lie in a typed array of its dtype";
      break;
    case Failure::kBounds:
      problem.code = "ERR_FOVEA_BOUNDS";
      problem.expected = "lie inside its data";
      break;
    case Failure::kDetached:
      problem.code = "ERR_FOVEA_DETACHED";
      problem.expected = "have its memory";
      problem.received = "a detached buffer";
      break;
    case Failure::kThreads:
      problem.code = "ERR_FOVEA_OPTION";
      problem.argument = "threads";
      problem.expected = "be a whole number of threads this machine can start";
      break;
    case Failure::kMemory:
      return problemOf(Outcome::kMemory);
  }
  return problem;
}

Problem problemOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      break;
    case Outcome::kCancelled:
      return {"ABORTED", "the call", "run to its end", "an abort"};
    case Outcome::kMemory:
      return {"ERR_FOVEA_MEMORY", "scratch memory", "be available", "an allocation that failed"};
  }
  return {};
}

napi_value createError(napi_env env, const Problem& problem) {
  std::string message = problem.argument + " must " + problem.expected;
  if (!problem.received.empty()) message += "; got " + problem.received;
  message += ".";
  const auto text = [env](const std::string& string, napi_value* value) {
    return napi_create_string_utf8(env, string.data(), string.size(), value) == napi_ok;
  };
  napi_value error, value;
  if (!text(message, &value) || napi_create_error(env, nullptr, value, &error) != napi_ok) {
    return nullptr;
  }
  const auto set = [&](const char* name, const std::string& string) {
    return string.empty() ||
           (text(string, &value) && napi_set_named_property(env, error, name, value) == napi_ok);
  };
  if (!set("code", problem.code) || !set("argument", problem.argument) ||
      !set("expected", problem.expected) || !set("received", problem.received)) {
    return nullptr;
  }
  if (problem.slot >= 0 && (napi_create_int32(env, problem.slot, &value) != napi_ok ||
                            napi_set_named_property(env, error, "slot", value) != napi_ok)) {
    return nullptr;
  }
  return error;
}

napi_value throwError(napi_env env, const Problem& problem) {
  if (napi_value error = createError(env, problem)) napi_throw(env, error);
  return nullptr;
}

}  // namespace fovea::bridge
