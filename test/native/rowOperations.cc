// The operations on rows over views of watched memory: every layout, any number of threads, one
// result.
#include <cstring>
#include <string>
#include <vector>

#include "check.h"
#include "core/registry.h"
#include "guarded.h"
#include "random.h"

namespace fovea::test {
namespace {

const Op& operation(const std::string& name) {
  for (const Op& op : registry()) {
    if (name == op.name) return op;
  }
  fail("no operation is called " + name, __FILE__, __LINE__);
}

// A tensor on memory that its strides cover exactly.
class View {
 public:
  // The axes lie in memory in the order `order`, slowest first, each `spread` times as far apart as
  // need be; those in `backwards` (a bit each) run against memory.
  View(std::vector<int64_t> shape, const std::vector<int>& order, int64_t spread,
       unsigned backwards, Place place)
      : shape_(std::move(shape)), strides_(shape_.size()), memory_(extent(order, spread), place) {
    int64_t first = 0;
    for (size_t axis = 0; axis < shape_.size(); ++axis) {
      if (!(backwards >> axis & 1)) continue;
      first += (shape_[axis] - 1) * strides_[axis];
      strides_[axis] = -strides_[axis];
    }
    tensor_ = {memory_.data() + first, shape_.data(), strides_.data(), int(shape_.size()),
               Dtype::kFloat32};
  }
  const Tensor& tensor() const { return tensor_; }
  bool intact() const { return memory_.intact(); }

  // Element n of the row-major order.
  float& at(int64_t n) const {
    int64_t offset = 0;
    for (size_t axis = shape_.size(); axis-- > 0;) {
      offset += n % shape_[axis] * strides_[axis];
      n /= shape_[axis];
    }
    return tensor_.floats()[offset];
  }

 private:
  int64_t extent(const std::vector<int>& order, int64_t spread) {
    int64_t step = spread;
    for (size_t i = order.size(); i-- > 0;) {
      strides_[size_t(order[i])] = step;
      step *= shape_[size_t(order[i])] * (i % 2 ? spread : 1);
    }
    int64_t last = 0;
    for (size_t axis = 0; axis < shape_.size(); ++axis) last += (shape_[axis] - 1) * strides_[axis];
    return last + 1;
  }

  std::vector<int64_t> shape_, strides_;
  Guarded<float> memory_;
  Tensor tensor_;
};

std::vector<int> identity(size_t rank) {
  std::vector<int> order;
  for (size_t axis = 0; axis < rank; ++axis) order.push_back(int(axis));
  return order;
}

View anyView(const std::vector<int64_t>& shape, Random& random) {
  std::vector<int> order = identity(shape.size());
  for (size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[size_t(random.integer(0, int64_t(i) - 1))]);
  }
  return View(shape, order, random.integer(1, 2), unsigned(random.bits() % 32),
              kPlaces[random.integer(0, 2)]);
}

View plainView(const std::vector<int64_t>& shape) {
  return View(shape, identity(shape.size()), 1, 0, Place::kBeforePage);
}

// `more` are the tensors behind the output.
void run(const std::string& name, const View& x, const View& out, const std::vector<Tensor>& more,
         int threads) {
  std::vector<Tensor> tensors = {x.tensor(), out.tensor()};
  tensors.insert(tensors.end(), more.begin(), more.end());
  const double eps = 1e-5;
  Control control;
  Call call;
  call.op = &operation(name);
  call.tensors = tensors;
  call.params = {&eps, 1};
  call.threads = threads;
  call.control = &control;
  call.op->run(call);
}

void checkLayouts(const std::string& name, const std::vector<int64_t>& shape,
                  const std::vector<int64_t>& outShape, bool affine, Random& random) {
  const View x = plainView(shape), want = plainView(outShape);
  int64_t size = 1, outSize = 1;
  for (const int64_t n : shape) size *= n;
  for (const int64_t n : outShape) outSize *= n;
  for (int64_t i = 0; i < size; ++i) x.at(i) = random.normal();
  const View weight = anyView({shape.back()}, random), bias = anyView({shape.back()}, random);
  for (int64_t i = 0; i < shape.back(); ++i) weight.at(i) = random.normal(), bias.at(i) = 1;
  std::vector<Tensor> more;
  if (affine) more = {weight.tensor(), bias.tensor()};
  run(name, x, want, more, 1);
  for (int round = 0; round < 6; ++round) {
    const View from = anyView(shape, random), to = anyView(outShape, random);
    for (int64_t i = 0; i < size; ++i) from.at(i) = x.at(i);
    for (int64_t i = 0; i < outSize; ++i) to.at(i) = -1e30f;
    run(name, from, to, more, round % 3 + 1);
    for (int64_t i = 0; i < outSize; ++i) {
      CHECK(std::memcmp(&to.at(i), &want.at(i), sizeof(float)) == 0);
    }
    for (int64_t i = 0; i < size; ++i) CHECK(from.at(i) == x.at(i));
    CHECK(from.intact() && to.intact());
  }
}

std::vector<int64_t> anyShape(size_t rank, int64_t most, Random& random) {
  std::vector<int64_t> shape;
  for (size_t axis = 0; axis < rank; ++axis) shape.push_back(random.integer(1, most));
  return shape;
}

template <class Function>
void onManyShapes(const Function& function) {
  onEveryIsa([&] {
    const std::string isa = context();
    Random random(31);
    for (int round = 0; round < 25; ++round) {
      context() = isa + ", round " + std::to_string(round);
      function(round, random);
    }
  });
}

}  // namespace

TEST(softmaxOfViews) {
  onManyShapes([](int round, Random& random) {
    const auto shape = anyShape(size_t(round % 4 + 1), round % 2 ? 40 : 9, random);
    checkLayouts("softmax", shape, shape, false, random);
  });
}

TEST(geluOfViews) {
  onManyShapes([](int round, Random& random) {
    const auto shape = anyShape(size_t(round % 4 + 1), round % 2 ? 40 : 9, random);
    checkLayouts("gelu", shape, shape, false, random);
  });
}

TEST(layerNormOfViews) {
  onManyShapes([](int round, Random& random) {
    const auto shape = anyShape(size_t(round % 4 + 1), round % 2 ? 40 : 9, random);
    checkLayouts("layerNorm", shape, shape, round % 3 != 0, random);
  });
}

TEST(globalAveragePoolOfViews) {
  onManyShapes([](int round, Random& random) {
    auto shape = anyShape(size_t(round % 2 + 4), 9, random);
    if (round % 5 == 0) shape[3] = 700;  // past a chunk of positions
    checkLayouts("globalAveragePool", shape, {shape[0], shape[1]}, false, random);
  });
}

// Rows beyond what is gathered together, and elements beyond one run.
TEST(longRowsOfViews) {
  onEveryIsa([] {
    Random random(32);
    checkLayouts("softmax", {3, 9001}, {3, 9001}, false, random);
    checkLayouts("layerNorm", {2, 70001}, {2, 70001}, true, random);
    checkLayouts("gelu", {9001, 3}, {9001, 3}, false, random);
    checkLayouts("gelu", {3, 2, 9001}, {3, 2, 9001}, false, random);
    checkLayouts("softmax", {1700, 11}, {1700, 11}, false, random);
  });
}

}  // namespace fovea::test
