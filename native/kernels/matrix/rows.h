// Row functions: one contiguous row of n floats at a time. `y` may be `x` itself, nothing else may
// overlap, any alignment will do, and nothing outside the rows is read or written.
#pragma once
#include <cstdint>

namespace fovea {

struct Rows {
  // y_i = exp(x_i - max x) / sum_j exp(x_j - max x). Exactly 0 where x_i is -inf, and everywhere if
  // all of them are; NaN everywhere if one is. n >= 1. 4 ulp. Two readings of x and one of y;
  // about 19 instructions a vector.
  void (*softmax)(const float* x, float* y, int64_t n);
  // y = (x - mean) / sqrt(var + eps) * weight + bias; weight and bias both or neither (null). The
  // mean is a float64 sum kept as two floats and the variance a float64 sum of squared deviations,
  // so neither a mean far above the deviation nor squares past the range of float32 cost accuracy,
  // and a constant row gives exactly the bias. n >= 1. 3 ulp of the normalised value. Three
  // readings of x; about 23 instructions a vector. `far`: many rows one behind the other, which
  // come from memory, and y, which is not x, goes past the caches.
  void (*layerNorm)(const float* x, const float* weight, const float* bias, double eps, float* y,
                    int64_t n, bool far);
  // y = x / max(||x||_2, least). The squares are summed in float64, so no norm overflows. Two
  // readings of x; 6 instructions and a division a vector.
  void (*normalize)(const float* x, double least, float* y, int64_t n);
  // y = x Phi(x), Phi the normal distribution. 7 ulp, and 4 ulp for x > -2. 29 instructions and a
  // division a vector.
  void (*gelu)(const float* x, float* y, int64_t n);
  // The sum of x, float64: exact but for the order of 2^-53. 6 instructions a vector.
  double (*sum)(const float* x, int64_t n);
  // The same for each of several rows `pitch` floats apart. Side by side, they come from memory at
  // 14 GB/s where one after the other they come at 10.
  void (*sumRows)(const float* x, int64_t pitch, int64_t rows, int64_t n, double* sums);
  // The sum of (x - mean)^2, float64, from differences that are exact where it matters. 8
  // instructions a vector.
  double (*sumSquaredDeviations)(const float* x, int64_t n, double mean);
  // The sum of exp(x - shift), float64, for x - shift <= 88. 17 instructions a vector.
  double (*sumExponentials)(const float* x, int64_t n, float shift);
  // The largest element; NaN where one is. n >= 1. 3 instructions a vector.
  float (*maximum)(const float* x, int64_t n);
  // sums_i += x_i^2 for each of `count` rows in turn, `stride` floats apart. 1 instruction a
  // vector; rounds as float32, so callers add up in short runs.
  void (*addSquares)(const float* x, int64_t stride, int64_t count, float* sums, int64_t n);
  // The same in float64: neither squares past the range of float32 nor many of them cost accuracy.
  void (*addSquaresWide)(const float* x, double* sums, int64_t n);
};

const Rows& rows();

}  // namespace fovea
