// What a matrix product ends in: scale, bias, activation, gain and residual, along rows or columns.
#include "gemmMatrices.h"

namespace fovea::test {

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

}  // namespace fovea::test
