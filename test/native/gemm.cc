// Matrix products against float64: every tile edge, every way to give and to take a matrix, guarded
// memory, and the same bits however the work is cut.
#include "engine/gemm.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "check.h"
#include "core/parallel.h"
#include "guarded.h"
#include "random.h"

namespace fovea::test {
namespace {

using Row = std::vector<float>;

Row normal(int64_t n, Random& random) {
  Row row;
  for (int64_t i = 0; i < n; ++i) row.push_back(random.normal());
  return row;
}

struct Shape {
  int64_t rows, columns, depth;
};

// Sizes around every edge: strips of 8, panels of 48, vectors of 16, 8 and 4, chunks of 1024 steps.
std::vector<Shape> shapes() {
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

std::string name(const Shape& s) {
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

Row product(
    Matrices& m, int threads = 1,
    const std::function<void(GemmProblem&)>& change = [](GemmProblem&) {}) {
  Row c(size_t(m.shape.rows * m.shape.columns), -1);
  GemmProblem p = m.problem(c.data());
  change(p);
  gemm(OnThreads(threads).call, p);
  return c;
}

void checkClose(const Row& got, const Matrices& m) {
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

void checkSame(const Row& got, const Row& want, const char* what) {
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

}  // namespace

TEST(gemmAgainstFloat64) {
  onEveryShape([](Matrices& m, Random&) { checkClose(product(m), m); });
}

TEST(gemmGivesTheSameBitsHoweverItIsCut) {
  onEveryShape([](Matrices& m, Random&) {
    const Row want = product(m);
    checkSame(product(m, 2), want, "two threads");
    checkSame(product(m, 3), want, "three threads");

    Row panels(size_t(panelFloats(m.shape.columns, m.shape.depth)));
    Row strips(size_t(stripFloats(m.shape.rows, m.shape.depth)));
    const GemmProblem plain = m.problem(nullptr);
    OnThreads two(2);
    packPanels(two.call, plain.b.matrix, m.shape.columns, m.shape.depth, panels.data());
    packStrips(two.call, plain.a.matrix, m.shape.rows, m.shape.depth, strips.data());
    auto packedB = [&](GemmProblem& p) { p.b = {panels.data(), {}, {}}; };
    auto packedA = [&](GemmProblem& p) { p.a = {strips.data(), {}, {}}; };
    checkSame(product(m, 1, packedB), want, "packed B");
    checkSame(product(m, 1, packedA), want, "packed A");
    checkSame(product(m, 2, [&](GemmProblem& p) { packedA(p), packedB(p); }), want, "both packed");

    const Pieces a{m.a, m.shape.depth, kStrip}, b{m.b, m.shape.depth, kPanel};
    checkSame(product(m, 1,
                      [&](GemmProblem& p) {
                        p.a = {nullptr, {}, a.source()};
                      }),
              want, "A by pieces");
    checkSame(product(m, 2,
                      [&](GemmProblem& p) {
                        p.b = {nullptr, {}, b.source()};
                      }),
              want, "B by pieces");

    Row c(want.size());
    const GemmProblem whole = m.problem(c.data());
    for (int64_t i = 0; i < m.shape.rows; i += 24) {
      for (int64_t j = 0; j < m.shape.columns; j += 96) {
        gemmBlock(whole, {i, std::min<int64_t>(i + 24, m.shape.rows)},
                  {j, std::min<int64_t>(j + 96, m.shape.columns)}, Scratch::ofThread());
      }
    }
    checkSame(c, want, "block by block");

    // Each row alone.
    for (int64_t i = 0; i < std::min<int64_t>(m.shape.rows, 20); ++i) {
      GemmProblem p = m.problem(c.data());
      p.rows = 1;
      p.a.matrix = MatrixRows(m.a.data() + i * m.shape.depth, 0, 1);
      gemm(OnThreads(1).call, p);
      CHECK(std::memcmp(c.data(), want.data() + i * m.shape.columns,
                        size_t(m.shape.columns) * sizeof(float)) == 0);
    }
  });
}

TEST(gemmGivesTheSameBitsInEveryLayout) {
  onEveryShape([](Matrices& m, Random&) {
    const auto [rows, columns, depth] = m.shape;
    const Row want = product(m);
    // Transposed operands and result, rows backwards, steps of 3.
    Row a(size_t(rows * depth * 3 + 1)), b(size_t(columns * depth * 3 + 1));
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t k = 0; k < depth; ++k) a[size_t(k * rows + i)] = m.a[size_t(i * depth + k)];
    }
    for (int64_t j = 0; j < columns; ++j) {
      for (int64_t k = 0; k < depth; ++k) {
        b[size_t(((columns - 1 - j) * depth + k) * 3)] = m.b[size_t(j * depth + k)];
      }
    }
    Row c(size_t(rows * columns));
    GemmProblem p = m.problem(c.data());
    p.a.matrix = MatrixRows(a.data(), 1, rows);
    p.b.matrix = MatrixRows(b.data() + (columns - 1) * depth * 3, -depth * 3, 3);
    p.c = MatrixRows(c.data(), 1, rows);
    gemm(OnThreads(2).call, p);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        CHECK(std::memcmp(&c[size_t(j * rows + i)], &want[size_t(i * columns + j)], 4) == 0);
      }
    }
    // Row axes whose strides do not follow from one another.
    if (rows % 2 == 0) {
      const int64_t shape[] = {2, rows / 2, depth}, strides[] = {depth, 2 * depth, 1};
      Tensor tensor;
      tensor.data = m.a.data();
      tensor.shape = shape;
      tensor.strides = strides;
      tensor.rank = 3;
      const Row got = product(m, 1, [&](GemmProblem& q) { q.a.matrix = MatrixRows(tensor); });
      for (int64_t i = 0; i < rows; ++i) {
        const int64_t from = i < rows / 2 ? 2 * i : 2 * (i - rows / 2) + 1;
        CHECK(std::memcmp(&got[size_t(i * columns)], &want[size_t(from * columns)],
                          size_t(columns) * sizeof(float)) == 0);
      }
    }
  });
}

TEST(gemmEpilogues) {
  constexpr Activation kAll[] = {Activation::kNone,    Activation::kRelu, Activation::kSigmoid,
                                 Activation::kTanh,    Activation::kSilu, Activation::kGelu,
                                 Activation::kSoftplus};
  auto apply = [](Activation activation, double x) {
    switch (activation) {
      case Activation::kRelu:
        return std::fmax(x, 0.0);
      case Activation::kSigmoid:
        return 1 / (1 + std::exp(-x));
      case Activation::kTanh:
        return std::tanh(x);
      case Activation::kSilu:
        return x / (1 + std::exp(-x));
      case Activation::kGelu:
        return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
      case Activation::kSoftplus:
        return std::log1p(std::exp(x));
      default:
        return x;
    }
  };
  onEveryIsa([&] {
    const std::string isa = context();
    Random random(7);
    for (const Shape& shape : {Shape{9, 50, 6}, Shape{3, 130, 1100}, Shape{17, 16, 3}}) {
      Matrices m(shape, random);
      const Row sums = product(m);
      const Row columnBias = normal(shape.columns, random), rowBias = normal(shape.rows, random);
      const Row columnGain = normal(shape.columns, random), rowGain = normal(shape.rows, random);
      const Row residual = normal(shape.rows * shape.columns, random);
      for (int variant = 0; variant < 7 * 32; ++variant) {
        const Activation activation = kAll[variant / 32];
        const bool scales = variant & 1, biases = variant & 2, gains = variant & 4,
                   adds = variant & 8, alongRows = variant & 16;
        context() = isa + ", " + name(shape) + ", variant " + std::to_string(variant);
        Row c(sums.size());
        auto set = [&](GemmProblem& p) {
          p.epilogue.activation = activation;
          p.epilogue.alongRows = alongRows;
          if (scales) p.epilogue.scale = 0.5f;
          if (biases) p.epilogue.bias = (alongRows ? rowBias : columnBias).data();
          if (gains) p.epilogue.gain = (alongRows ? rowGain : columnGain).data();
        };
        GemmProblem p = m.problem(c.data());
        set(p);
        if (adds) {
          c = residual;  // in place
          p.residual = p.c;
        }
        gemm(OnThreads(2).call, p);
        for (int64_t i = 0; i < shape.rows; ++i) {
          for (int64_t j = 0; j < shape.columns; ++j) {
            const size_t at = size_t(i * shape.columns + j), along = size_t(alongRows ? i : j);
            double want = double(sums[at]) * (scales ? 0.5 : 1);
            if (biases) want += double((alongRows ? rowBias : columnBias)[along]);
            want = apply(activation, want);
            if (gains) want *= double((alongRows ? rowGain : columnGain)[along]);
            if (adds) want += double(residual[at]);
            CHECK_OR(std::fabs(double(c[at]) - want) <= 2e-6 * (1 + std::fabs(want)),
                     std::to_string(c[at]) + " instead of " + std::to_string(want));
          }
        }
        // Into a sink, and into strided memory: the same bits.
        Row taken(sums.size());
        struct Sink {
          Row& to;
          int64_t columns;
        } sink{taken, shape.columns};
        Row base = adds ? residual : Row();
        GemmProblem q = m.problem(nullptr);
        set(q);
        if (adds) q.residual = MatrixRows(base.data(), shape.columns, 1);
        q.c = {};
        q.sink = {[](const void* to, int64_t row, int64_t rows, int64_t column, int columns,
                     float* tile) {
                    const Sink& s = *static_cast<const Sink*>(to);
                    for (int64_t i = 0; i < rows; ++i) {
                      std::memcpy(&s.to[size_t((row + i) * s.columns + column)], tile + i * kPanel,
                                  size_t(columns) * sizeof(float));
                    }
                  },
                  &sink};
        gemm(OnThreads(1).call, q);
        checkSame(taken, c, "sink");
        Row transposed(sums.size());
        GemmProblem r = m.problem(nullptr);
        set(r);
        r.c = MatrixRows(transposed.data(), 1, shape.rows);
        if (adds) {
          for (int64_t i = 0; i < shape.rows; ++i) {
            for (int64_t j = 0; j < shape.columns; ++j) {
              transposed[size_t(j * shape.rows + i)] = residual[size_t(i * shape.columns + j)];
            }
          }
          r.residual = r.c;
        }
        gemm(OnThreads(1).call, r);
        for (int64_t i = 0; i < shape.rows; ++i) {
          for (int64_t j = 0; j < shape.columns; ++j) {
            CHECK(std::memcmp(&transposed[size_t(j * shape.rows + i)],
                              &c[size_t(i * shape.columns + j)], 4) == 0);
          }
        }
      }
    }
  });
}

TEST(gemmTouchesNothingElse) {
  onEveryIsa([] {
    const std::string isa = context();
    Random random(9);
    for (const Place place : kPlaces) {
      for (int64_t n : {1, 3, 7, 8, 15, 16, 17, 31, 47, 48, 49, 50}) {
        for (int64_t rows : {1, 7, 9}) {
          context() = isa + ", n = " + std::to_string(n);
          const int64_t depth = n;
          Guarded<float> a(rows * depth, place), b(n * depth, place), bias(n, place);
          Guarded<float> c(rows * n, place), panels(panelFloats(n, depth), place);
          Guarded<float> strips(stripFloats(rows, depth), place);
          for (int64_t i = 0; i < rows * depth; ++i) a[i] = random.normal();
          for (int64_t i = 0; i < n * depth; ++i) b[i] = random.normal();
          for (int64_t i = 0; i < n; ++i) bias[i] = random.normal();
          OnThreads one(1);
          GemmProblem p;
          p.rows = rows;
          p.columns = n;
          p.depth = depth;
          p.a.matrix = MatrixRows(a.data(), depth, 1);
          p.b.matrix = MatrixRows(b.data(), depth, 1);
          p.epilogue.bias = bias.data();
          p.c = MatrixRows(c.data(), n, 1);
          gemm(one.call, p);
          p.epilogue.activation = Activation::kRelu;
          gemm(one.call, p);
          packPanels(one.call, p.b.matrix, n, depth, panels.data());
          packStrips(one.call, p.a.matrix, rows, depth, strips.data());
          p.a = {strips.data(), {}, {}};
          p.b = {panels.data(), {}, {}};
          gemm(one.call, p);
          CHECK(a.intact() && b.intact() && bias.intact() && c.intact());
          CHECK(panels.intact() && strips.intact());
        }
      }
    }
  });
}

TEST(gemmKeepsRowsApart) {
  onEveryShape([](Matrices& m, Random& random) {
    if (m.shape.depth == 0) return;
    const Row want = product(m);
    const int64_t bad = random.integer(0, m.shape.rows - 1);
    m.a[size_t(bad * m.shape.depth)] = std::numeric_limits<float>::quiet_NaN();
    const Row got = product(m);
    for (int64_t i = 0; i < m.shape.rows; ++i) {
      for (int64_t j = 0; j < m.shape.columns; ++j) {
        const size_t at = size_t(i * m.shape.columns + j);
        if (i == bad) {
          CHECK(std::isnan(got[at]));
        } else {
          CHECK(std::memcmp(&got[at], &want[at], 4) == 0);
        }
      }
    }
  });
}

}  // namespace fovea::test
