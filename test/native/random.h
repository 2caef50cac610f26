// Seeded random numbers, the same on every platform.
#pragma once
#include <cmath>
#include <cstdint>

namespace fovea::test {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  uint64_t bits() {  // splitmix64
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  double uniform(double low, double high) {
    return low + (high - low) * (double(bits() >> 11) * 0x1p-53);
  }
  int64_t integer(int64_t low, int64_t high) {  // both included
    return low + int64_t(bits() % uint64_t(high - low + 1));
  }
  float normal() {
    return float(std::sqrt(-2 * std::log(uniform(1e-300, 1))) * std::cos(uniform(0, 6.283185307)));
  }

 private:
  uint64_t state_;
};

}  // namespace fovea::test
