// Every function of an instruction set's Vec and Mask, called through memory.
#pragma once
#include <cstdint>

namespace fovea::test {

// y[i] = f(a[i], b[i], c[i]) for the lanes of one vector.
struct LaneFunction {
  const char* name;
  void (*run)(const float* a, const float* b, const float* c, float* y);
};

struct VecFunctions {
  int lanes;
  const LaneFunction* functions;  // ends with a null name
  void (*loadPartial)(const float* x, int n, float* y);
  void (*storePartial)(const float* x, int n, float* y);
  // Masks as 1 and 0 in each lane.
  void (*firstLanes)(int n, float* y);
  void (*between)(int lo, int hi, float* y);
  void (*ofBytes)(const uint8_t* p, float* y);
  void (*ofBytesPartial)(const uint8_t* p, int n, float* y);
  void (*combine)(const uint8_t* p, const uint8_t* q, float* both, float* either, float* neither);
  bool (*any)(const uint8_t* p);
  bool (*all)(const uint8_t* p);
  void (*constants)(float* zero, float* iota);
  float (*sum)(const float* x);
  float (*maximum)(const float* x);
  void (*transpose)(float* x);  // lanes rows of lanes
  void (*loadColumns)(const float* const* rows, int64_t at, float* y);
  void (*pick)(const float* x, const int32_t* index, int32_t first, float* y);  // two vectors
  void (*unzip)(const float* x, float* evens, float* odds);                     // two vectors
  void (*zip)(const float* a, const float* b, float* x);                        // back
  double (*wideSum)(const float* x, int64_t vectors);
  double (*wideSumOfSquares)(const float* x, int64_t vectors);
  void (*splitExponent)(const float* x, float* m, float* e);
};

}  // namespace fovea::test

namespace fovea {
const test::VecFunctions& vecFunctions();
}
