// The functions that layers end in.
#pragma once

namespace fovea {

enum class Activation : int {
  kNone,
  kRelu,
  kSigmoid,
  kHardSigmoid,
  kTanh,
  kSilu,
  kGelu,
  kSoftplus
};

}  // namespace fovea
