// What one core can do at most: the denominators of the shares that the benchmark prints.
#pragma once
#include <cstdint>

namespace fovea {

struct Peak {
  // `steps` rounds of independent multiply-adds that never leave the registers, 2 flops a lane
  // each: enough chains to hide the latency of two ports. The sum keeps the compiler from dropping
  // them.
  float (*multiplyAdd)(int64_t steps);
  int flopsPerStep;
  // The sum of n floats, n a multiple of 16, as fast as memory can be read: in many places at once.
  float (*sum)(const float* x, int64_t n);
};

const Peak& peak();

}  // namespace fovea
