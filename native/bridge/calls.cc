#include "bridge/calls.h"

#include "core/floatMode.h"
#include "core/lane.h"

namespace fovea::bridge {

namespace {

napi_value numberValue(napi_env env, double number) {
  napi_value value;
  return napi_create_double(env, number, &value) == napi_ok ? value : nullptr;
}

}  // namespace

bool prepare(napi_env env, const Arguments& arguments, StoredCall& stored) {
  if (arguments.environment->problem) {
    throwError(env, arguments.environment->problem);
    return false;
  }
  const ReadResult result = stored.read(arguments.meta, arguments.arrays);
  if (result.failure != Failure::kNone) {
    throwError(env, problemOf(result));
    return false;
  }
  Call& call = stored.call;
  call.op = arguments.op;
  if (call.threads == 0) call.threads = arguments.environment->threads;
  if (call.packed && (!call.op->packedFloats || call.op->packedFloats(call) > call.packedFloats)) {
    throwError(env, {"ERR_FOVEA_BOUNDS", "prepared weights", "be those of this call", "",
                     static_cast<int>(call.tensors.size())});
    return false;
  }
  return true;
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
  if (!arguments.read(env, info) || !prepare(env, arguments, stored)) return nullptr;
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
  if (!prepare(env, arguments, stored)) return nullptr;
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
