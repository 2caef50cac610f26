using test::MathFunction;
using test::MathFunctions;

#define FUNCTION(name)                                                   \
  static void name##Vectors(const float* x, float* y, int64_t vectors) { \
    for (int64_t i = 0; i < vectors; ++i) {                              \
      name(Vec::load(x + i * Vec::kLanes)).store(y + i * Vec::kLanes);   \
    }                                                                    \
  }
FUNCTION(exp2OrZero)
FUNCTION(exp2)
FUNCTION(exp)
FUNCTION(sigmoid)
FUNCTION(tanh)
FUNCTION(log)
FUNCTION(log1p)
FUNCTION(softplus)
FUNCTION(rsqrt)
FUNCTION(gelu)
#undef FUNCTION

inline constexpr MathFunction kMathList[] = {{"exp2OrZero", exp2OrZeroVectors},
                                             {"exp2", exp2Vectors},
                                             {"exp", expVectors},
                                             {"sigmoid", sigmoidVectors},
                                             {"tanh", tanhVectors},
                                             {"log", logVectors},
                                             {"log1p", log1pVectors},
                                             {"softplus", softplusVectors},
                                             {"rsqrt", rsqrtVectors},
                                             {"gelu", geluVectors},
                                             {nullptr, nullptr}};

inline constexpr MathFunctions kMathFunctions{Vec::kLanes, Vec::kSplitsAll, kMathList};
