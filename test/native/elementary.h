// The elementary functions of simd/math-inl.h, called through memory.
#pragma once
#include <cstdint>

namespace fovea::test {

struct MathFunction {
  const char* name;
  void (*run)(const float* x, float* y, int64_t vectors);
};

struct MathFunctions {
  int lanes;
  bool splitsAll;
  const MathFunction* functions;  // ends with a null name
};

}  // namespace fovea::test

namespace fovea {
const test::MathFunctions& mathFunctions();
}
