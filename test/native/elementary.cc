// Every elementary function against float64 over its whole domain, and at its edges.
#include "elementary.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "check.h"

#define FOVEA_KERNEL "elementary-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(test::MathFunctions, mathFunctions, kMathFunctions)

namespace fovea::test {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kMax = std::numeric_limits<float>::max();

struct Bound {
  const char* name;
  double (*truth)(double);
  float low, high;  // the domain
  double ulp;       // what simd/math-inl.h states
};

const Bound kBounds[] = {
    {"exp2OrZero", std::exp2, -126, 127, 3},
    {"exp2", std::exp2, -126, 127, 3},
    {"exp", std::exp, -kMax, 88, 1.2},
    {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }, -kMax, kMax, 2.5},
    {"tanh", std::tanh, -kMax, kMax, 2.5},
    {"log", std::log, 1.2e-38f, kMax, 1},
    {"log1p", std::log1p, -0.9999999f, kMax, 2},
    {"softplus", [](double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); },
     -kMax, kMax, 2},
    {"rsqrt", [](double x) { return 1 / std::sqrt(x); }, 1.2e-38f, kMax, 1.5},
    {"gelu", [](double x) { return x * (std::erfc(-x * std::sqrt(0.5)) / 2); }, -kMax, kMax, 7},
};

struct Edge {
  const char* name;
  float x, want;
};

const Edge kEdges[] = {
    {"exp2OrZero", -kInf, 0},
    {"exp2OrZero", 0, 1},
    {"exp2OrZero", -0.0f, 1},
    {"exp2OrZero", -200, 0},
    {"exp2OrZero", -kMax, 0},
    {"exp2OrZero", -1, 0.5f},
    {"exp2", -kInf, 0x1p-126f},
    {"exp2", -kMax, 0x1p-126f},
    {"exp2", -126, 0x1p-126f},
    {"exp2", 0, 1},
    {"exp", 0, 1},
    {"exp", -kInf, 0},
    {"exp", -kMax, 0},
    {"sigmoid", 0, 0.5f},
    {"sigmoid", kInf, 1},
    {"sigmoid", -kInf, 0},
    {"sigmoid", 1e4f, 1},
    {"sigmoid", -1e4f, 0},
    {"tanh", 0, 0},
    {"tanh", -0.0f, -0.0f},
    {"tanh", kInf, 1},
    {"tanh", -kInf, -1},
    {"tanh", 1e4f, 1},
    {"tanh", -1e4f, -1},
    {"log", 0, -kInf},
    {"log", -0.0f, -kInf},
    {"log", 1, 0},
    {"log", kInf, kInf},
    {"log", -1, kNan},
    {"log", -kInf, kNan},
    {"log1p", 0, 0},
    {"log1p", kInf, kInf},
    {"softplus", -kInf, 0},
    {"softplus", kInf, kInf},
    {"softplus", -1e4f, 0},
    {"softplus", 1e4f, 1e4f},
    {"rsqrt", 0, kInf},
    {"rsqrt", kInf, 0},
    {"rsqrt", 4, 0.5f},
    {"gelu", 0, 0},
    {"gelu", -0.0f, -0.0f},
    {"gelu", -kInf, -0.0f},
    {"gelu", kInf, kInf},
    {"gelu", -1e4f, -0.0f},
    {"gelu", 1e4f, 1e4f},
    {"gelu", -kMax, -0.0f},
    {"gelu", kMax, kMax},
};

std::vector<float> domain(const Bound& bound) {
  std::vector<float> x;
  // Every order of magnitude alike, then the interval that matters densely.
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 19993) {
    const uint32_t pattern = static_cast<uint32_t>(bits);
    float value;
    std::memcpy(&value, &pattern, sizeof value);
    if (std::isnormal(value) && value >= bound.low && value <= bound.high) x.push_back(value);
  }
  const double low = std::fmax(bound.low, -130), high = std::fmin(bound.high, 130);
  constexpr int kDense = 200000;
  for (int i = 0; i <= kDense; ++i) {
    const float value = float(low + (high - low) * i / kDense);
    if (std::isnormal(value)) x.push_back(value);
  }
  while (x.size() % 64 != 0) x.push_back(x.back());
  return x;
}

double ulpOf(double value) {
  int exponent;
  std::frexp(value, &exponent);
  return std::ldexp(1.0, std::max(exponent, -125) - 24);
}

const MathFunction& find(const char* name) {
  const MathFunction* f = mathFunctions().functions;
  while (std::strcmp(f->name, name) != 0) ++f;
  return *f;
}

}  // namespace

TEST(mathErrorsStayWithinTheirBounds) {
  for (const Bound& bound : kBounds) {
    const std::vector<float> x = domain(bound);
    std::vector<double> truth(x.size());
    for (size_t i = 0; i < x.size(); ++i) truth[i] = bound.truth(double(x[i]));
    std::vector<float> y(x.size());
    onEveryIsa([&] {
      find(bound.name).run(x.data(), y.data(), int64_t(x.size()) / mathFunctions().lanes);
      double worst = 0;
      size_t at = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        const double want = truth[i], got = double(y[i]);
        double error = std::fabs(got - want) / ulpOf(want);
        if (std::fabs(want) < 0x1p-125) {
          error = std::fabs(got) <= 0x1p-124 && got * want >= 0 ? 0 : 1e9;
        } else if (std::isinf(float(want)) && got == want * 2) {
          error = 0;
        }
        if (std::isinf(got) && std::isinf(float(want)) && got * want > 0) error = 0;
        if (!(error <= worst)) worst = error, at = i;
      }
      CHECK_OR(worst <= bound.ulp, std::string(bound.name) + " is " + std::to_string(worst) +
                                       " ulp off at " + std::to_string(x[at]));
    });
  }
}

TEST(mathEdges) {
  onEveryIsa([] {
    const MathFunctions& m = mathFunctions();
    float x[64], y[64];
    for (const Edge& edge : kEdges) {
      for (int i = 0; i < m.lanes; ++i) x[i] = edge.x;
      find(edge.name).run(x, y, 1);
      for (int i = 0; i < m.lanes; ++i) {
        const bool equal = std::isnan(edge.want)
                               ? std::isnan(y[i])
                               : y[i] == edge.want && std::signbit(y[i]) == std::signbit(edge.want);
        CHECK_OR(equal, std::string(edge.name) + "(" + std::to_string(edge.x) +
                            ") = " + std::to_string(y[i]));
      }
    }
    // A NaN stays where it is, whatever its payload, and harms no other lane.
    for (const MathFunction* f = m.functions; f->name; ++f) {
      for (const uint32_t pattern : {0x7fc00000u, 0xffc00000u, 0x7f800001u, 0xffffffffu}) {
        for (int lane = 0; lane < m.lanes; ++lane) {
          for (int i = 0; i < m.lanes; ++i) x[i] = 0.75f;
          f->run(x, y, 1);
          const float usual = y[0];
          std::memcpy(&x[lane], &pattern, sizeof pattern);
          f->run(x, y, 1);
          for (int i = 0; i < m.lanes; ++i) {
            CHECK_OR(i == lane ? std::isnan(y[i]) : y[i] == usual, f->name);
          }
        }
      }
    }
  });
}

TEST(exp2RisesAndStaysAboveItsFloor) {
  onEveryIsa([] {
    const MathFunctions& m = mathFunctions();
    float x[64], y[64];
    for (int from = -1600; from < 1270; from += m.lanes) {
      for (int i = 0; i < m.lanes; ++i) x[i] = float(from + i) / 10;
      find("exp2").run(x, y, 1);
      for (int i = 0; i < m.lanes; ++i) CHECK(y[i] >= 0x1p-126f);
      for (int i = 1; i < m.lanes; ++i) CHECK(y[i] >= y[i - 1]);
    }
  });
}

}  // namespace fovea::test
