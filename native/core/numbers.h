// Scores are kept in base 2, where e^x = 2^(x log2 e) takes one multiplication less.
#pragma once
#include <numbers>

namespace fovea {

inline constexpr float kLog2e = std::numbers::log2e_v<float>;
inline constexpr float kLn2 = std::numbers::ln2_v<float>;

}  // namespace fovea
