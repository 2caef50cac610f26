// The arguments (op, meta, ...numbers, ...arrays) of the functions that take a call.
#pragma once
#include <node_api.h>

#include <array>
#include <memory>
#include <span>

#include "bridge/environment.h"
#include "core/registry.h"
#include "core/storedCall.h"

namespace fovea::bridge {

class Arguments {
 public:
  // `numbers` is how many plain numbers stand between meta and the arrays, at most 2. False: an
  // error has been thrown, or the environment is going down.
  bool read(napi_env env, napi_callback_info info, size_t numbers = 0);

  Environment* environment = nullptr;
  const Op* op = nullptr;
  std::span<const double> meta;
  double number[2] = {0, 0};
  std::span<Array> arrays;
  std::span<napi_value> arrayValues;

 private:
  // Enough for every attention operation; a module with hundreds of weights takes memory.
  static constexpr size_t kInline = 16;
  napi_value inlineValues_[kInline];
  Array inlineArrays_[kInline];
  std::unique_ptr<napi_value[]> values_;
  std::unique_ptr<Array[]> arrays_;
};

}  // namespace fovea::bridge
