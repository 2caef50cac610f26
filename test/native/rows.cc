// The row functions against float64, at every size around the vector length and every edge of
// memory.
#include "kernels/matrix/rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "guarded.h"
#include "random.h"

namespace fovea::test {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using Row = std::vector<float>;
using Wide = std::vector<double>;

double ulps(float got, double want) {
  int exponent;
  std::frexp(want, &exponent);
  return std::fabs(double(got) - want) / std::ldexp(1.0, std::max(exponent, -125) - 24);
}

Wide softmax(const Row& x) {
  double most = -INFINITY, sum = 0;
  for (const float v : x) most = std::max(most, double(v));
  Wide y;
  for (const float v : x) y.push_back(std::exp(double(v) - most));
  for (const double e : y) sum += e;
  for (double& e : y) e /= sum;
  return y;
}

Wide layerNorm(const Row& x, const Row& weight, const Row& bias, double eps) {
  double mean = 0, variance = 0;
  for (const float v : x) mean += double(v);
  mean /= double(x.size());
  for (const float v : x) variance += (double(v) - mean) * (double(v) - mean);
  variance /= double(x.size());
  Wide y;
  for (size_t i = 0; i < x.size(); ++i) {
    const double z = (double(x[i]) - mean) / std::sqrt(variance + eps);
    y.push_back(weight.empty() ? z : z * double(weight[i]) + double(bias[i]));
  }
  return y;
}

// Runs `function` out of place and in place on guarded memory; both must agree to the last bit.
template <class Function>
Row onGuardedMemory(const Row& x, Place place, const Function& function) {
  const int64_t n = int64_t(x.size());
  Guarded<float> from(n, place), to(n, place), both(n, place);
  for (int64_t i = 0; i < n; ++i) from[i] = both[i] = x[size_t(i)];
  function(from.data(), to.data(), n);
  function(both.data(), both.data(), n);
  CHECK(from.intact() && to.intact() && both.intact());
  CHECK(std::memcmp(to.data(), both.data(), size_t(n) * sizeof(float)) == 0);
  for (int64_t i = 0; i < n; ++i) CHECK(from[i] == x[size_t(i)] || std::isnan(from[i]));
  return Row(to.data(), to.data() + n);
}

Row normalRow(int64_t n, Random& random, float deviation = 1, float mean = 0) {
  Row x;
  for (int64_t i = 0; i < n; ++i) x.push_back(mean + deviation * random.normal());
  return x;
}

// 1 to past two of the widest vectors, and lengths that reach the unrolled loops with every
// remainder.
std::vector<int64_t> lengths() {
  std::vector<int64_t> all;
  for (int64_t n = 1; n <= 35; ++n) all.push_back(n);
  for (const int64_t n : {63, 64, 65, 127, 128, 129, 197, 1000, 4097}) all.push_back(n);
  return all;
}

template <class Function>
void onEveryLength(const Function& function) {
  onEveryIsa([&] {
    const std::string isa = context();
    Random random(11);
    for (const int64_t n : lengths()) {
      for (const Place place : kPlaces) {
        context() = isa + ", n = " + std::to_string(n);
        function(n, place, random);
      }
    }
  });
}

void checkUlps(const Row& got, const Wide& want, double bound, const char* what) {
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::fabs(want[i]) < 0x1p-125) {
      CHECK_OR(std::fabs(got[i]) <= 0x1p-124f, what);
    } else {
      const double error = ulps(got[i], want[i]);
      CHECK_OR(error <= bound, std::string(what) + " is " + std::to_string(error) + " ulp off at " +
                                   std::to_string(i));
    }
  }
}

}  // namespace

TEST(softmaxRows) {
  onEveryLength([](int64_t n, Place place, Random& random) {
    for (const float spread : {1.0f, 8.0f, 40.0f}) {
      const Row x = normalRow(n, random, spread);
      Wide want = softmax(x);
      // x - max is rounded before it is exponentiated: half an ulp of up to 300 is 2^-17.
      checkUlps(onGuardedMemory(x, place, rows().softmax), want, 4 + spread * 4, "softmax");
    }
  });
}

TEST(softmaxRowsOfInfinities) {
  onEveryLength([](int64_t n, Place place, Random& random) {
    for (const float y : onGuardedMemory(Row(size_t(n), -kInf), place, rows().softmax)) {
      CHECK(y == 0 && !std::signbit(y));
    }
    const size_t at = size_t(random.integer(0, n - 1));
    Row x(size_t(n), -kInf);
    x[at] = -300.0f;
    Row y = onGuardedMemory(x, place, rows().softmax);
    for (size_t i = 0; i < y.size(); ++i) CHECK(y[i] == (i == at ? 1.0f : 0.0f));
    x[at] = kNan;
    for (const float v : onGuardedMemory(x, place, rows().softmax)) CHECK(std::isnan(v));
    x = normalRow(n, random);
    x[at] = kNan;
    for (const float v : onGuardedMemory(x, place, rows().softmax)) CHECK(std::isnan(v));
    if (n == 1) return;
    x[at] = -kInf;
    y = onGuardedMemory(x, place, rows().softmax);
    CHECK(y[at] == 0);
    x.erase(x.begin() + int64_t(at));
    y.erase(y.begin() + int64_t(at));
    checkUlps(y, softmax(x), 8, "softmax beside -inf");
  });
}

TEST(layerNormRows) {
  onEveryLength([](int64_t n, Place place, Random& random) {
    const Row weight = normalRow(n, random), bias = normalRow(n, random);
    struct {
      float deviation, mean;
    } const kinds[] = {{1, 0}, {1, 1e4f}, {1e-3f, 100}, {1e18f, 0}, {1e25f, -1e25f}};
    for (const auto& kind : kinds) {
      const Row x = normalRow(n, random, kind.deviation, kind.mean);
      // Out of place the row is a far one, in place a near one: they agree to the last bit.
      const Row plain = onGuardedMemory(x, place, [](const float* from, float* to, int64_t count) {
        rows().layerNorm(from, nullptr, nullptr, 1e-5, to, count, from != to);
      });
      const Wide z = layerNorm(x, {}, {}, 1e-5);
      // Near the mean the deviation itself ends on an ulp of x, minus that of the mean's low part.
      for (size_t i = 0; i < z.size(); ++i) {
        CHECK_OR(std::fabs(double(plain[i]) - z[i]) <= 3e-7 * std::fmax(std::fabs(z[i]), 0.05),
                 "layerNorm: " + std::to_string(plain[i]) + " instead of " + std::to_string(z[i]));
      }
      Guarded<float> w(n, place), b(n, place);
      for (int64_t i = 0; i < n; ++i) w[i] = weight[size_t(i)], b[i] = bias[size_t(i)];
      const Row affine =
          onGuardedMemory(x, place, [&](const float* from, float* to, int64_t count) {
            rows().layerNorm(from, w.data(), b.data(), 1e-5, to, count, from != to);
          });
      const Wide want = layerNorm(x, weight, bias, 1e-5);
      for (size_t i = 0; i < want.size(); ++i) {
        const double size = std::fabs(z[i] * double(weight[i])) + std::fabs(double(bias[i]));
        CHECK(std::fabs(double(affine[i]) - want[i]) <= 4e-7 * std::fmax(size, 0.05));
      }
    }
    // A constant row is its bias, exactly, however small eps is.
    for (const float value : {0.1f, 1e4f + 0.1f, -3e38f, 0.0f}) {
      Guarded<float> w(n, place), b(n, place);
      for (int64_t i = 0; i < n; ++i) w[i] = weight[size_t(i)], b[i] = bias[size_t(i)];
      const Row y = onGuardedMemory(
          Row(size_t(n), value), place, [&](const float* from, float* to, int64_t count) {
            rows().layerNorm(from, w.data(), b.data(), 1e-30, to, count, false);
          });
      for (int64_t i = 0; i < n; ++i) CHECK(y[size_t(i)] == b[i]);
    }
  });
}

TEST(geluRows) {
  onEveryLength([](int64_t n, Place place, Random& random) {
    const Row x = normalRow(n, random, 3);
    Wide want;
    for (const float v : x) want.push_back(double(v) * std::erfc(-double(v) * std::sqrt(0.5)) / 2);
    checkUlps(onGuardedMemory(x, place, rows().gelu), want, 7, "gelu");
  });
}

TEST(sumsOfRows) {
  onEveryLength([](int64_t n, Place place, Random& random) {
    Guarded<float> x(n, place);
    double want = 0, size = 0;
    for (int64_t i = 0; i < n; ++i) {
      x[i] = random.normal() * 1e30f;
      want += double(x[i]);
      size += std::fabs(double(x[i]));
    }
    CHECK(std::fabs(rows().sum(x.data(), n) - want) <= 1e-13 * size);
    CHECK(x.intact());
    x[n / 2] = kInf;
    CHECK(rows().sum(x.data(), n) == double(kInf));
    x[n / 3] = kNan;
    CHECK(std::isnan(rows().sum(x.data(), n)));
  });
}

}  // namespace fovea::test
