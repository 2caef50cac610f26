// Matrices for the tests of products, and what a product of them must be.
#pragma once
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "engine/matrix/gemm.h"
#include "random.h"

namespace fovea::test {

using Row = std::vector<float>;

inline Row normal(int64_t n, Random& random) {
  Row row;
  for (int64_t i = 0; i < n; ++i) row.push_back(random.normal());
  return row;
}

struct Shape {
  int64_t rows, columns, depth;
};

// Sizes around every edge: strips of 8, panels of 48, vectors of 16, 8 and 4, chunks of 1024 steps.
inline std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (int64_t n = 1; n <= 17; ++n) all.push_back({n, n, n});
  for (int64_t rows : {1, 5, 8, 9}) {
    for (int64_t columns : {1, 4, 15, 16, 17, 24, 25, 33, 47, 48, 49, 97}) {
      all.push_back({rows, columns, 7});
    }
  }
  for (int64_t depth : {0, 1, 2, 3, 4, 5, 1023, 1024, 1025, 2051}) all.push_back({11, 50, depth});
  all.push_back({300, 3, 5});
  all.push_back({3, 1700, 5});
  all.push_back({270, 820, 33});
  all.push_back({1100, 60, 9});
  return all;
}

inline std::string name(const Shape& s) {
  return std::to_string(s.rows) + " x " + std::to_string(s.depth) + " x " +
         std::to_string(s.columns);
}

struct Matrices {
  Shape shape;
  Row a, b;  // [rows, depth] and [columns, depth]
  Matrices(const Shape& s, Random& random)
      : shape(s), a(normal(s.rows * s.depth, random)), b(normal(s.columns * s.depth, random)) {}

  GemmProblem problem(float* c) {
    GemmProblem p;
    p.rows = shape.rows;
    p.columns = shape.columns;
    p.depth = shape.depth;
    p.a.matrix = MatrixRows(a.data(), shape.depth, 1);
    p.b.matrix = MatrixRows(b.data(), shape.depth, 1);
    p.c = MatrixRows(c, shape.columns, 1);
    return p;
  }
};

struct OnThreads {
  Control control;
  Call call;
  explicit OnThreads(int threads) {
    call.threads = threads;
    call.control = &control;
  }
};

inline Row product(
    Matrices& m, int threads = 1,
    const std::function<void(GemmProblem&)>& change = [](GemmProblem&) {}) {
  Row c(size_t(m.shape.rows * m.shape.columns), -1);
  GemmProblem p = m.problem(c.data());
  change(p);
  gemm(OnThreads(threads).call, p);
  return c;
}

inline void checkClose(const Row& got, const Matrices& m) {
  for (int64_t i = 0; i < m.shape.rows; ++i) {
    for (int64_t j = 0; j < m.shape.columns; ++j) {
      double want = 0, magnitude = 0;
      for (int64_t k = 0; k < m.shape.depth; ++k) {
        const double term =
            double(m.a[size_t(i * m.shape.depth + k)]) * double(m.b[size_t(j * m.shape.depth + k)]);
        want += term;
        magnitude += std::fabs(term);
      }
      const double error = std::fabs(double(got[size_t(i * m.shape.columns + j)]) - want);
      const double steps = double(m.shape.depth + 1);
      CHECK_OR(error <= steps * 0x1p-23 * magnitude, "off by " + std::to_string(error) + " at " +
                                                         std::to_string(i) + ", " +
                                                         std::to_string(j));
    }
  }
}

inline void checkSame(const Row& got, const Row& want, const char* what) {
  CHECK(got.size() == want.size());
  CHECK_OR(std::memcmp(got.data(), want.data(), got.size() * sizeof(float)) == 0, what);
}

template <class Function>
void onEveryShape(const Function& function) {
  onEveryIsa([&] {
    const std::string isa = context();
    Random random(5);
    for (const Shape& shape : shapes()) {
      context() = isa + ", " + name(shape);
      Matrices m(shape, random);
      function(m, random);
    }
  });
}

// A packed operand given piece by piece, its unused columns full of NaN.
struct Pieces {
  const Row& matrix;
  int64_t depth;
  int width;
  static void fill(const void* context, int64_t first, int count, int64_t begin, int64_t depth,
                   float* packed) {
    const Pieces& self = *static_cast<const Pieces*>(context);
    for (int64_t k = 0; k < depth; ++k) {
      for (int j = 0; j < self.width; ++j) {
        packed[k * self.width + j] = j < count
                                         ? self.matrix[size_t((first + j) * self.depth + begin + k)]
                                         : std::numeric_limits<float>::quiet_NaN();
      }
    }
  }
  GemmSource source() const { return {fill, this}; }
};

}  // namespace fovea::test
