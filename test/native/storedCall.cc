#include "core/storedCall.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.h"

using namespace fovea;

namespace {

std::vector<float> floats(64);

ReadResult read(const std::vector<double>& meta, const std::vector<Array>& arrays) {
  StoredCall stored;
  return stored.read(meta, arrays);
}

Array floatArray(int64_t length) { return {floats.data(), length, ElementType::kFloat32}; }

// One present float32 matrix [rows, columns] over `length` floats.
Failure readMatrix(double rows, double columns, double rowStride, double columnStride,
                   double offset, int64_t length) {
  return read({0, 0, 1, 0, 1, 2, offset, rows, columns, rowStride, columnStride},
              {floatArray(length)})
      .failure;
}

// Touches both ends of what a tensor says it may read.
void touch(const Tensor& tensor) {
  if (!tensor) return;
  int64_t low = 0, high = 0;
  for (int axis = 0; axis < tensor.rank; ++axis) {
    if (tensor.shape[axis] == 0) return;
    const int64_t reach = (tensor.shape[axis] - 1) * tensor.strides[axis];
    (reach < 0 ? low : high) += reach;
  }
  const auto* bytes = static_cast<const volatile uint8_t*>(tensor.data);
  (void)bytes[low * byteSize(tensor.dtype)];
  (void)bytes[high * byteSize(tensor.dtype) + byteSize(tensor.dtype) - 1];
}

}  // namespace

TEST(readingFindsParametersAndSlots) {
  StoredCall stored;
  const std::vector<double> meta = {3,  2, 3, 0,    0.5, -7,     // threads, counts, parameters
                                    1,  2, 4, 2,    3,   8,  1,  // float32 [2, 3], offset 4
                                    0,  0, 0,                    // absent
                                    19, 1, 0, 1000, 1};          // bfloat16 [1000], described only
  const std::vector<Array> arrays = {floatArray(15)};
  CHECK(stored.read(meta, arrays).failure == Failure::kNone);
  const Call& call = stored.call;
  CHECK(call.threads == 3 && call.number(0) == 0.5 && call.integer(1) == -7 && call.number(2) == 0);
  const Tensor& matrix = call.tensor(0);
  CHECK(matrix.floats() == floats.data() + 4 && matrix.rank == 2 &&
        matrix.dtype == Dtype::kFloat32);
  CHECK(matrix.shape[0] == 2 && matrix.shape[1] == 3);
  CHECK(matrix.strides[0] == 8 && matrix.strides[1] == 1);
  CHECK(!call.tensor(1) && !call.tensor(1).described());
  CHECK(!call.tensor(2) && call.tensor(2).described() && call.tensor(2).dtype == Dtype::kBfloat16);
  CHECK(!call.tensor(3).described());
  CHECK(call.packed == nullptr);
}

TEST(readingRefusesWhatReachesOutsideItsArray) {
  CHECK(readMatrix(2, 3, 3, 1, 0, 6) == Failure::kNone);
  CHECK(readMatrix(2, 3, 3, 1, 0, 5) == Failure::kBounds);
  CHECK(readMatrix(2, 3, 3, 1, 1, 6) == Failure::kBounds);
  CHECK(readMatrix(2, 3, -3, 1, 3, 6) == Failure::kNone);
  CHECK(readMatrix(2, 3, -3, 1, 2, 6) == Failure::kBounds);
  CHECK(readMatrix(2, 3, 0, 0, 5, 6) == Failure::kNone);
  CHECK(readMatrix(0, 3, 100, 100, 100, 6) == Failure::kNone);
  const double huge = 9007199254740991.0, infinity = std::numeric_limits<double>::infinity();
  CHECK(readMatrix(huge, 3, 1, 1, 0, 6) == Failure::kBounds);
  CHECK(readMatrix(huge, huge, 0, 0, 0, 6) == Failure::kBounds);
  CHECK(readMatrix(3, 3, huge, huge, 0, 6) == Failure::kBounds);
  CHECK(readMatrix(3, 3, 1, 1, huge, 6) == Failure::kBounds);
  for (const double wrong : {-1.0, 0.5, infinity, -infinity, std::nan("")}) {
    CHECK(readMatrix(wrong, 3, 3, 1, 0, 6) == Failure::kBounds);
    CHECK(readMatrix(2, 3, 3, 1, wrong, 6) == Failure::kBounds);
    if (wrong != -1) CHECK(readMatrix(2, 3, wrong, 1, 0, 6) == Failure::kBounds);
  }
}

TEST(readingTellsDetachedFromShort) {
  const std::vector<double> meta = {0, 0, 1, 0, 1, 1, 0, 4, 1};
  CHECK(read(meta, {{nullptr, 0, ElementType::kFloat32}}).failure == Failure::kDetached);
  CHECK(read(meta, {floatArray(0)}).failure == Failure::kBounds);
  const std::vector<double> empty = {0, 0, 1, 0, 1, 1, 0, 0, 1};
  StoredCall stored;
  const std::vector<Array> arrays = {{nullptr, 0, ElementType::kFloat32}};
  CHECK(stored.read(empty, arrays).failure == Failure::kNone);
  CHECK(stored.call.tensor(0));  // empty is not absent
}

TEST(readingRefusesOtherElementTypes) {
  const auto with = [](double kind, ElementType type) {
    return read({0, 0, 1, 0, kind, 1, 0, 4, 1}, {{floats.data(), 8, type}}).failure;
  };
  CHECK(with(1, ElementType::kFloat32) == Failure::kNone);
  CHECK(with(2, ElementType::kUint16) == Failure::kNone);
  CHECK(with(2, ElementType::kFloat16) == Failure::kNone);
  CHECK(with(3, ElementType::kUint16) == Failure::kNone);
  CHECK(with(4, ElementType::kUint8) == Failure::kNone);
  CHECK(with(5, ElementType::kInt32) == Failure::kNone);
  CHECK(with(1, ElementType::kInt32) == Failure::kType);
  CHECK(with(3, ElementType::kFloat16) == Failure::kType);
  CHECK(with(4, ElementType::kOther) == Failure::kType);
  for (const double kind : {-1.0, 0.5, 6.0, 16.0, 22.0, std::nan("")}) {
    CHECK(with(kind, ElementType::kFloat32) == Failure::kCall);
  }
}

TEST(readingTakesThePackApart) {
  StoredCall stored;
  const std::vector<double> meta = {0, 0, 2, 1, 17, 1, 0, 10, 1, 1, 1, 0, 32, 1};
  const std::vector<Array> arrays = {floatArray(32)};
  CHECK(stored.read(meta, arrays).failure == Failure::kNone);
  CHECK(stored.call.tensors.size() == 1);
  CHECK(stored.call.packed == floats.data() && stored.call.packedFloats == 32);
}

TEST(readingRefusesThreadsThatCannotBe) {
  for (const double threads : {-1.0, 0.5, 1e9, std::nan("")}) {
    CHECK(read({threads, 0, 0, 0}, {}).failure == Failure::kThreads);
  }
  CHECK(read({256, 0, 0, 0}, {}).failure == Failure::kNone);
}

TEST(readingHoldsManyTensors) {
  std::vector<double> meta = {0, 100, 500, 0};
  for (int i = 0; i < 100; ++i) meta.push_back(i);
  for (int i = 0; i < 500; ++i) meta.insert(meta.end(), {1, 3, double(i % 50), 1, 2, 3, 6, 3, 1});
  const std::vector<Array> arrays(500, floatArray(64));
  StoredCall stored;
  CHECK(stored.read(meta, arrays).failure == Failure::kNone);
  CHECK(stored.call.number(99) == 99 && stored.call.tensor(499).floats() == floats.data() + 49);
  CHECK(stored.call.tensor(499).strides[0] == 6);
}

TEST(readingSurvivesAnyNumbers) {
  std::mt19937 random(1);
  const double odd[] = {0,
                        1,
                        2,
                        3,
                        5,
                        16,
                        17,
                        21,
                        64,
                        65,
                        -1,
                        0.5,
                        1e9,
                        9e15,
                        1e300,
                        std::nan(""),
                        std::numeric_limits<double>::infinity()};
  const auto any = [&] { return odd[random() % std::size(odd)]; };
  for (int round = 0; round < 200'000; ++round) {
    // A well-formed call of two tensors, some of whose numbers are replaced, and cut at random.
    std::vector<double> meta = {0, 1, 2, 0, 1, 1, 2, 0, 4, 4, 4, 1, 1, 1, 2, 8, 1};
    for (unsigned changes = random() % 4; changes > 0; --changes)
      meta[random() % meta.size()] = any();
    if (random() % 8 == 0) meta.resize(random() % meta.size());
    std::vector<Array> arrays(random() % 4, floatArray(static_cast<int64_t>(random() % 65)));
    StoredCall stored;
    if (stored.read(meta, arrays).failure != Failure::kNone) continue;
    for (const Tensor& tensor : stored.call.tensors) touch(tensor);
    if (stored.call.packed) (void)stored.call.packed[stored.call.packedFloats - 1];
  }
}
