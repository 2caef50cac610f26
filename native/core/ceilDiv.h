#pragma once
#include <cstdint>

namespace fovea {

// Parts of `b` that it takes to hold `a`, which is at least 0.
constexpr int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace fovea
