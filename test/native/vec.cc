// Every vector function against its meaning, lane by lane, on values that tell rounding, signs of
// zero, infinities and NaN apart, and against the end of memory.
#include "vec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "guarded.h"
#include "random.h"

#define FOVEA_KERNEL "vec-inl.h"
#include "simd/each.h"
FOVEA_DISPATCH(test::VecFunctions, vecFunctions, kVecFunctions)

namespace fovea::test {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

float meaning(const std::string& name, float a, float b, float c, bool fused) {
  if (name == "add") return a + b;
  if (name == "subtract") return a - b;
  if (name == "multiply") return a * b;
  if (name == "divide") return a / b;
  if (name == "fma") return fused ? std::fma(a, b, c) : a * b + c;
  if (name == "fnma") return fused ? std::fma(-a, b, c) : c - a * b;
  if (name == "min") return a < b ? a : b;
  if (name == "max") return a > b ? a : b;
  if (name == "abs") return std::fabs(a);
  if (name == "negate") return -a;
  if (name == "copySign") return std::copysign(a, b);
  if (name == "sqrt") return std::sqrt(a);
  if (name == "equal") return a == b;
  if (name == "less") return a < b;
  if (name == "lessEqual") return a <= b;
  if (name == "isNan") return std::isnan(a);
  if (name == "select") return a < b ? b : c;
  if (name == "productError") return float(double(a) * double(b) - double(a * b));
  CHECK_OR(false, "no meaning of " + name);
  return kNan;
}

bool same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof a) == 0;
}

std::vector<float> telling() {
  std::vector<float> values = {0.0f,  -0.0f,  1.0f,    -1.0f,    0.5f,     -0.5f,      1.5f,
                               2.5f,  -2.5f,  3.5f,    0.1f,     -1e-3f,   8388607.5f, -8388609.0f,
                               1e30f, -1e30f, 3.4e38f, -3.4e38f, 1.2e-38f, -1e-40f,    1e-45f,
                               kInf,  -kInf,  kNan,    2.1e9f,   -3e9f,    4194303.5f, 4194304.5f};
  Random random(1);
  for (int i = 0; i < 12; ++i) values.push_back(random.normal() * std::pow(10.0f, float(i - 6)));
  return values;
}

}  // namespace

TEST(vecFunctionsMeanTheSameInEveryLane) {
  onEveryIsa([] {
    const VecFunctions& v = vecFunctions();
    const std::vector<float> values = telling();
    const size_t count = values.size(), lanes = static_cast<size_t>(v.lanes);
    std::vector<float> a, b, c;
    for (size_t i = 0; i < count * count || a.size() % lanes != 0; ++i) {
      a.push_back(values[i % count]);
      b.push_back(values[i / count % count]);
      c.push_back(values[(i * 7 + i / count) % count]);
    }
    float y[64];
    for (const LaneFunction* f = v.functions; f->name; ++f) {
      for (size_t i = 0; i < a.size(); i += lanes) {
        f->run(&a[i], &b[i], &c[i], y);
        for (size_t j = 0; j < lanes; ++j) {
          const float p = a[i + j], q = b[i + j], r = c[i + j];
          const std::string name = f->name;
          float want = meaning(name, p, q, r, v.lanes > 1), got = y[j];
          // The error of a product that overflows or is subnormal is not a float32.
          if (name == "productError" && !(std::fabs(p * q) > 1e-30f && std::fabs(p * q) < kInf)) {
            continue;
          }
          CHECK_OR(same(got, want), name + "(" + std::to_string(p) + ", " + std::to_string(q) +
                                        ", " + std::to_string(r) + ") = " + std::to_string(got) +
                                        " instead of " + std::to_string(want));
        }
      }
    }
  });
}

TEST(partialVectorsTouchTheirLanesAlone) {
  onEveryIsa([] {
    const VecFunctions& v = vecFunctions();
    float full[64];
    for (const Place place : kPlaces) {
      for (int n = 0; n <= v.lanes; ++n) {
        Guarded<float> memory(n, place);
        for (int i = 0; i < n; ++i) memory[i] = float(i + 1);
        v.loadPartial(memory.data(), n, full);
        for (int i = 0; i < v.lanes; ++i) CHECK(full[i] == (i < n ? float(i + 1) : 0.0f));
        for (int i = 0; i < v.lanes; ++i) full[i] = float(-i);
        v.storePartial(full, n, memory.data());
        for (int i = 0; i < n; ++i) CHECK(memory[i] == float(-i));
        CHECK(memory.intact());

        Guarded<uint8_t> bytes(n, place);
        for (int i = 0; i < n; ++i) bytes[i] = i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : 0x80;
        v.ofBytesPartial(bytes.data(), n, full);
        for (int i = 0; i < v.lanes; ++i) CHECK((full[i] != 0) == (i < n && i % 3 != 0));
        if (n == v.lanes) {
          v.ofBytes(bytes.data(), full);
          for (int i = 0; i < n; ++i) CHECK((full[i] != 0) == (i % 3 != 0));
        }
      }
    }
  });
}

TEST(masks) {
  onEveryIsa([] {
    const VecFunctions& v = vecFunctions();
    float y[64], both[64], either[64], neither[64];
    for (int lo = -3; lo <= v.lanes + 3; ++lo) {
      v.firstLanes(lo, y);
      for (int i = 0; i < v.lanes; ++i) CHECK((y[i] != 0) == (i < lo));
      for (int hi = -3; hi <= v.lanes + 3; ++hi) {
        v.between(lo, hi, y);
        for (int i = 0; i < v.lanes; ++i) CHECK((y[i] != 0) == (i >= lo && i < hi));
      }
    }
    Random random(2);
    for (int round = 0; round < 200; ++round) {
      uint8_t p[64], q[64];
      bool any = false, all = true;
      for (int i = 0; i < v.lanes; ++i) {
        p[i] = round == 0 ? 0 : round == 1 ? 255 : uint8_t(random.integer(0, 1) * 7);
        q[i] = uint8_t(random.integer(0, 1));
        any = any || p[i];
        all = all && p[i];
      }
      CHECK(v.any(p) == any);
      CHECK(v.all(p) == all);
      v.combine(p, q, both, either, neither);
      for (int i = 0; i < v.lanes; ++i) {
        CHECK((both[i] != 0) == (p[i] && q[i]));
        CHECK((either[i] != 0) == (p[i] || q[i]));
        CHECK((neither[i] != 0) == (!p[i] && !q[i]));
      }
    }
  });
}

TEST(acrossLanes) {
  onEveryIsa([] {
    const VecFunctions& v = vecFunctions();
    const int n = v.lanes;
    float zero[64], iota[64];
    v.constants(zero, iota);
    for (int i = 0; i < n; ++i) CHECK(zero[i] == 0 && iota[i] == float(i));
    Random random(3);
    std::vector<float> x(size_t(n * n));
    for (int round = 0; round < 50; ++round) {
      double sum = 0, size = 0;
      float most = -kInf;
      for (int i = 0; i < n; ++i) {
        const float value = random.normal();
        x[size_t(i)] = value;
        sum += double(value);
        size += std::fabs(double(value));
        most = std::max(most, value);
      }
      CHECK(std::fabs(double(v.sum(x.data())) - sum) <= 3e-7 * size);
      CHECK(v.maximum(x.data()) == most);
    }
    for (int i = 0; i < n * n; ++i) x[size_t(i)] = float(i);
    v.transpose(x.data());
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) CHECK(x[size_t(i * n + j)] == float(j * n + i));
    }
    const float* rows[64];
    for (int i = 0; i < n; ++i) rows[i] = x.data() + (n - 1 - i) * n - 3;
    std::vector<float> columns(size_t(n * n));
    v.loadColumns(rows, 3, columns.data());
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j)
        CHECK(columns[size_t(i * n + j)] == x[size_t((n - 1 - j) * n + i)]);
    }
    float pairs[128], evens[64], odds[64], again[128];
    for (int i = 0; i < 2 * n; ++i) pairs[i] = float(i);
    for (int round = 0; round < 20; ++round) {
      int32_t index[64];
      for (int i = 0; i < n; ++i) index[i] = 7 + int32_t(random.integer(0, 2 * n - 1));
      v.pick(pairs, index, 7, evens);
      for (int i = 0; i < n; ++i) CHECK(evens[i] == float(index[i] - 7));
    }
    v.unzip(pairs, evens, odds);
    v.zip(evens, odds, again);
    for (int i = 0; i < n; ++i) CHECK(evens[i] == float(2 * i) && odds[i] == float(2 * i + 1));
    for (int i = 0; i < 2 * n; ++i) CHECK(again[i] == pairs[i]);
  });
}

TEST(wideSumsAreExact) {
  onEveryIsa([] {
    const VecFunctions& v = vecFunctions();
    const int64_t vectors = 100;
    std::vector<float> x(size_t(vectors * v.lanes));
    Random random(4);
    for (float& value : x) value = float(random.integer(-1000000, 1000000)) * 16 + 1;
    double sum = 0, squares = 0;
    for (const float value : x) {
      sum += double(value);
      squares += double(value) * double(value);
    }
    CHECK(v.wideSum(x.data(), vectors) == sum);
    CHECK(std::fabs(v.wideSumOfSquares(x.data(), vectors) - squares) <= 1e-13 * squares);
    for (float& value : x) value = 0.1f;
    CHECK(v.wideSum(x.data(), vectors) == double(0.1f) * double(x.size()));
    for (float& value : x) value = 3e38f;
    CHECK(v.wideSumOfSquares(x.data(), vectors) < std::numeric_limits<double>::infinity());
  });
}

TEST(exponentsAreSplitOff) {
  onEveryIsa([] {
    const VecFunctions& v = vecFunctions();
    Random random(5);
    float x[64], m[64], e[64];
    for (int round = 0; round < 2000; ++round) {
      for (int i = 0; i < v.lanes; ++i) {
        const uint32_t bits = uint32_t(random.integer(0x00800000, 0x7f7fffff));
        std::memcpy(&x[i], &bits, 4);
        if (round == 0) x[i] = std::ldexp(1.0f, i - 3);
      }
      v.splitExponent(x, m, e);
      for (int i = 0; i < v.lanes; ++i) {
        CHECK(m[i] >= 0.70710677f && m[i] < 1.4142136f);
        CHECK(std::ldexp(double(m[i]), int(e[i])) == double(x[i]));
      }
    }
  });
}

}  // namespace fovea::test
