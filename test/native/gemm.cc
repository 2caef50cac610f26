// Matrix products against float64: every tile edge, every way to give and to take a matrix, guarded
// memory, and the same bits however the work is cut.
#include "core/parallel.h"
#include "gemmMatrices.h"
#include "guarded.h"

namespace fovea::test {

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
    checkSame(product(m, 1, [&](GemmProblem& p) { p.a = {nullptr, {}, a.source()}; }), want,
              "A by pieces");
    checkSame(product(m, 2, [&](GemmProblem& p) { p.b = {nullptr, {}, b.source()}; }), want,
              "B by pieces");

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
