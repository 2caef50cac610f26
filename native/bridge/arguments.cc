#include "bridge/arguments.h"

#include <new>

namespace fovea::bridge {

namespace {

ElementType elementType(napi_typedarray_type type) {
  switch (type) {
    case napi_float32_array:
      return ElementType::kFloat32;
    case napi_uint16_array:
      return ElementType::kUint16;
    case napi_uint8_array:
      return ElementType::kUint8;
    case napi_int32_array:
      return ElementType::kInt32;
    case napi_float16_array:
      return ElementType::kFloat16;
    default:
      return ElementType::kOther;
  }
}

bool fail(napi_env env, const char* argument, const char* expected) {
  throwError(env, {"ERR_FOVEA_TYPE", argument, expected, "", -1});
  return false;
}

}  // namespace

bool Arguments::read(napi_env env, napi_callback_info info, size_t numbers) {
  const size_t fixed = 2 + numbers;
  napi_value* values = inlineValues_;
  size_t count = kInline;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, values, nullptr, &data) != napi_ok) return false;
  environment = static_cast<Environment*>(data);
  if (count > kInline) {
    values_.reset(new (std::nothrow) napi_value[count]);
    arrays_.reset(new (std::nothrow) Array[count]);
    values = values_.get();
    if (!values_ || !arrays_) {
      throwError(env, problemOf(Outcome::kMemory));
      return false;
    }
    if (napi_get_cb_info(env, info, &count, values, nullptr, nullptr) != napi_ok) return false;
  }
  if (count < fixed) return fail(env, "the call", "have its fixed arguments");

  uint32_t index = 0;
  double exact = -1;
  if (napi_get_value_uint32(env, values[0], &index) != napi_ok ||
      napi_get_value_double(env, values[0], &exact) != napi_ok || exact != index ||
      index >= registry().size()) {
    return fail(env, "op", "be the index of an operation");
  }
  op = &registry()[index];

  napi_typedarray_type type;
  size_t length = 0;
  void* memory = nullptr;
  if (napi_get_typedarray_info(env, values[1], &type, &length, &memory, nullptr, nullptr) !=
          napi_ok ||
      type != napi_float64_array) {
    return fail(env, "meta", "be a Float64Array");
  }
  meta = {static_cast<const double*>(memory), memory ? length : 0};

  for (size_t i = 0; i < numbers; ++i) {
    if (napi_get_value_double(env, values[2 + i], &number[i]) != napi_ok) {
      return fail(env, "an argument behind meta", "be a number");
    }
  }

  Array* into = arrays_ ? arrays_.get() : inlineArrays_;
  for (size_t i = fixed; i < count; ++i) {
    if (napi_get_typedarray_info(env, values[i], &type, &length, &memory, nullptr, nullptr) !=
        napi_ok) {
      return fail(env, "data", "be typed arrays");
    }
    into[i - fixed] = {memory, static_cast<int64_t>(length), elementType(type)};
  }
  arrays = {into, count - fixed};
  arrayValues = {values + fixed, count - fixed};
  return true;
}

}  // namespace fovea::bridge
