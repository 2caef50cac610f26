// Calls with(f), f the function of one vector that `activation` names: the choice is made once,
// outside the loop. Whatever f gets, NaN gives NaN.
template <class With>
inline void withActivation(Activation activation, With with) {
  switch (activation) {
    case Activation::kNone:
      return with([](Vec x) { return x; });
    case Activation::kRelu:
      return with([](Vec x) { return Vec::max(Vec::zero(), x); });
    case Activation::kSigmoid:
      return with([](Vec x) { return sigmoid(x); });
    case Activation::kHardSigmoid:
      return with([](Vec x) {
        const Vec six = Vec::set(6.0f);
        return Vec::min(six, Vec::max(Vec::zero(), x + Vec::set(3.0f))) / six;
      });
    case Activation::kTanh:
      return with([](Vec x) { return tanh(x); });
    case Activation::kSilu:
      return with([](Vec x) { return x * sigmoid(x); });
    case Activation::kGelu:
      return with([](Vec x) { return gelu(x); });
    case Activation::kSoftplus:
      return with([](Vec x) { return softplus(x); });
  }
}
