#include "bridge/calls.h"

#include <memory>
#include <utility>

#include "core/floatMode.h"
#include "core/form.h"
#include "core/lane.h"
#include "core/registry.h"

namespace fovea::bridge {

namespace {

napi_value numberValue(napi_env env, double number) {
  napi_value value;
  return napi_create_double(env, number, &value) == napi_ok ? value : nullptr;
}

}  // namespace

bool prepare(napi_env env, const Arguments& arguments, StoredCall& stored, bool packs) {
  if (arguments.environment->problem) {
    throwError(env, arguments.environment->problem);
    return false;
  }
  const DecodeResult result = stored.decode(arguments.meta, arguments.arrays);
  if (result.failure != Failure::kNone) {
    throwError(env, problemOf(result));
    return false;
  }
  Call& call = stored.call;
  call.op = &arguments.form->op();
  if (call.threads == 0) call.threads = arguments.environment->threads;
  if (const int fault = arguments.form->fault(call, packs); fault != Form::kNothing) {
    throwError(env, problemOf({Failure::kForm, fault}));
    return false;
  }
  if (call.packed && (!call.op->packedFloats || call.op->packedFloats(call) > call.packedFloats)) {
    throwError(env, {"ERR_FOVEA_BOUNDS", "prepared weights", "be those of this call", "",
                     static_cast<int>(call.tensors.size())});
    return false;
  }
  return true;
}

napi_value declare(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value values[2];
  if (napi_get_cb_info(env, info, &count, values, nullptr, nullptr) != napi_ok) return nullptr;
  uint32_t index = 0;
  double exact = -1;
  if (napi_get_value_uint32(env, values[0], &index) != napi_ok ||
      napi_get_value_double(env, values[0], &exact) != napi_ok || exact != index ||
      index >= registry().size()) {
    return throwError(env, {"ERR_FOVEA_TYPE", "op", "be the index of an operation", "", -1});
  }
  napi_typedarray_type type;
  size_t length = 0;
  void* memory = nullptr;
  const Op& op = registry()[index];
  std::span<const double> numbers;
  if (napi_get_typedarray_info(env, values[1], &type, &length, &memory, nullptr, nullptr) ==
          napi_ok &&
      type == napi_float64_array && memory) {
    numbers = {static_cast<const double*>(memory), length};
  }
  std::unique_ptr<Form> form = Form::of(op, numbers);
  if (!form) {
    return throwError(env, {"ERR_FOVEA_TYPE", "form", "be a well-formed Float64Array", "", -1});
  }
  const int number = declareForm(op, numbers, std::move(form));
  if (number < 0) return throwError(env, problemOf(Outcome::kMemory));
  return numberValue(env, number);
}

napi_value run(napi_env env, napi_callback_info info) {
  Arguments arguments;
  StoredCall stored;
  if (!arguments.read(env, info) || !prepare(env, arguments, stored)) return nullptr;
  Job job;
  job.call = stored.call;
  const bool large =
      job.call.threads > 1 && job.call.op->flops(job.call) >= flopsIn(kCrewMicroseconds);
  if (!large || !lane::tryRun(job)) {
    job.call.threads = 1;
    job.execute();
  }
  if (job.outcome != Outcome::kDone) throwError(env, problemOf(job.outcome));
  return nullptr;
}

napi_value flops(napi_env env, napi_callback_info info) {
  Arguments arguments;
  StoredCall stored;
  if (!arguments.read(env, info) || !prepare(env, arguments, stored)) return nullptr;
  return numberValue(env, stored.call.op->flops(stored.call));
}

napi_value packedFloats(napi_env env, napi_callback_info info) {
  Arguments arguments;
  StoredCall stored;
  if (!arguments.read(env, info) || !prepare(env, arguments, stored, true)) return nullptr;
  const Op& op = *stored.call.op;
  return numberValue(env, op.packedFloats ? static_cast<double>(op.packedFloats(stored.call)) : 0);
}

napi_value pack(napi_env env, napi_callback_info info) {
  Arguments arguments;
  StoredCall stored;
  if (!arguments.read(env, info)) return nullptr;
  if (arguments.arrays.empty()) {
    return throwError(env, {"ERR_FOVEA_TYPE", "packed", "be a Float32Array", "nothing", -1});
  }
  const Array packed = arguments.arrays.back();
  arguments.arrays = arguments.arrays.first(arguments.arrays.size() - 1);
  if (!prepare(env, arguments, stored, true)) return nullptr;
  Call& call = stored.call;
  if (!call.op->pack || !call.op->packedFloats) return nullptr;
  const int64_t floats = call.op->packedFloats(call);
  if (floats == 0) return nullptr;
  if (packed.type != ElementType::kFloat32 || packed.length < floats) {
    return throwError(env,
                      {"ERR_FOVEA_BOUNDS", "packed", "have room for the packed weights", "", -1});
  }
  Control control;
  call.control = &control;
  call.threads = 1;
  const FlushToZero mode;
  try {
    call.op->pack(call, static_cast<float*>(packed.data));
  } catch (...) {
    throwError(env, problemOf(Outcome::kMemory));
  }
  return nullptr;
}

napi_value address(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value array;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, &array, nullptr, nullptr) != napi_ok) return nullptr;
  if (napi_get_typedarray_info(env, array, nullptr, nullptr, &data, nullptr, nullptr) != napi_ok) {
    return throwError(env, {"ERR_FOVEA_TYPE", "array", "be a typed array", "", -1});
  }
  return numberValue(env, static_cast<double>(reinterpret_cast<uintptr_t>(data)));
}

}  // namespace fovea::bridge
