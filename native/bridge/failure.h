// Failures as JavaScript errors with `code` and, where they are known, `slot`, `argument`,
// `expected` and `received`. The façade turns them into its own kinds of error, with the
// operation's name.
#pragma once
#include <node_api.h>

#include <string>

#include "core/lane.h"
#include "core/storedCall.h"

namespace fovea::bridge {

struct Problem {
  std::string code;  // empty: none
  std::string argument;
  std::string expected;
  std::string received;
  int slot = -1;

  explicit operator bool() const { return !code.empty(); }
};

Problem problemOf(const ReadResult& result);
Problem problemOf(Outcome outcome);

// Null where the environment is going down and can create nothing.
napi_value createError(napi_env env, const Problem& problem);

// Returns null, for callbacks to return.
napi_value throwError(napi_env env, const Problem& problem);

}  // namespace fovea::bridge
