// Attention over second-order features of each position, itself attended to; see
// lib/ops/bilinearAttention.ts.
#include <algorithm>
#include <vector>

#include "core/parallel.h"
#include "core/registry.h"
#include "engine/maps/channelPool.h"
#include "engine/maps/entryLoop.h"
#include "engine/maps/layers.h"
#include "engine/matrix/gemm.h"
#include "kernels/maps/mapRow.h"

namespace fovea {

namespace {

enum Slot { kX, kOut, kAttention, kLayers };
enum Param { kKernel, kBnEps };
enum Kernel { kBilinear, kLinear };
enum Layer { kReduce, kOuter, kInner };
// Of each layer: weight, bias, and the norm's weight, bias, mean and variance.
constexpr int kLayerSlots = 6;

LayerPack layersOf(const Call& call) {
  std::vector<ConvLayer> layers;
  for (int slot = kLayers; slot < kLayers + 3 * kLayerSlots; slot += kLayerSlots) {
    const NormLayer norm = NormLayer::of(call, slot + 2, call.number(kBnEps));
    layers.push_back(layerOf(call.tensor(slot), call.tensor(slot + 1), norm));
  }
  return LayerPack(call, std::move(layers));
}

// What lies between the layers, a few rows of a few entries at a time: r [entries, m, positions]
// and the products of its channels.
class Products {
 public:
  Products(const Call& call, const FeatureMap& r) : call_(call), r_(r), m_(r.channels) {}

  int64_t channels() const { return m_ * (m_ + 1) / 2; }

  // The means of all products over the positions, [entries, channels()]: those of r r^T.
  void means(float* to) const {
    constexpr int64_t kRun = 256;  // summed as float32; the runs as float64
    const int64_t positions = r_.positions();
    parallelFor(call_, r_.batch, [&](int64_t b, Scratch& scratch) {
      float* run = scratch.floats(m_ * m_);
      auto* sums = scratch.array<double>(m_ * m_);
      std::fill(sums, sums + m_ * m_, 0.0);
      for (int64_t first = 0; first < positions; first += kRun) {
        GemmProblem p;
        p.rows = p.columns = m_;
        p.depth = std::min(kRun, positions - first);
        p.a.matrix = MatrixRows(r_.at(b, 0, 0, 0, 0) + first, r_.channelStride, 1);
        p.b.matrix = p.a.matrix;
        p.c = MatrixRows(run, m_, 1);
        gemmBlock(p, {0, m_}, {0, m_}, scratch);
        for (int64_t i = 0; i < m_ * m_; ++i) sums[i] += run[i];
      }
      float* mean = to + b * channels();
      eachPair([&](int64_t, int64_t j, int64_t k) {
        *mean++ = static_cast<float>(sums[j * m_ + k] / static_cast<double>(positions));
      });
    });
  }

  // All products of rows [y, y + rows) of entries [b, b + entries).
  FeatureMap fill(int64_t b, int64_t entries, int64_t y, int64_t rows, float* to) const {
    const int64_t size[] = {1, rows, r_.size[2]};
    const FeatureMap z = FeatureMap::contiguous(to, entries, channels(), size);
    const int64_t n = z.positions();
    parallelFor(call_, entries, [&](int64_t entry, Scratch&) {
      eachPair([&](int64_t channel, int64_t j, int64_t k) {
        mapRow().multiply(r_.at(b + entry, j, 0, y, 0), r_.at(b + entry, k, 0, y, 0), 1,
                          z.at(entry, channel, 0, 0, 0), n, false);
      });
    });
    return z;
  }

 private:
  // The upper triangle, diagonal by diagonal.
  template <class Function>
  void eachPair(Function function) const {
    int64_t channel = 0;
    for (int64_t d = 0; d < m_; ++d) {
      for (int64_t j = 0; j + d < m_; ++j) function(channel++, j, j + d);
    }
  }

  const Call& call_;
  const FeatureMap& r_;
  int64_t m_;
};

// Some entries of the batch.
void runEntries(const Call& call, const LayerPack& layers, const float* packed, const FeatureMap& x,
                const FeatureMap& attention, const FeatureMap& out, Scratch& scratch) {
  const PackedLayer reduce = layers.at(packed, kReduce), inner = layers.at(packed, kInner),
                    outer = layers.at(packed, kOuter);

  const int64_t m = reduce.layer->shape.outChannels;
  const FeatureMap r =
      FeatureMap::contiguous(scratch.floats(x.batch * m * x.positions()), x.batch, m, x.size);
  reduce.run(call, x, {MapStep::activate(Activation::kRelu), MapStep::store(r)});

  const bool bilinear = call.integer(kKernel) == kBilinear;
  const Products products(call, r);
  const int64_t depth = inner.layer->shape.inChannels;
  const FeatureMap means = FeatureMap::scratch(x.batch, depth, FeatureMap::kPoint, scratch);
  if (bilinear) {
    products.means(means.data);
  } else {
    const ChannelPool pool[] = {{PoolKind::kMean, means}};
    poolChannels(call, r, pool);
  }
  const FeatureMap c = FeatureMap::scratch(x.batch, x.channels, FeatureMap::kPoint, scratch);
  inner.run(call, means.vectors(),
            {MapStep::activate(Activation::kRelu), MapStep::store(c.vectors())});

  // sigmoid(c v) x, v = outer(z): the last pass over x ends the convolution.
  const auto gate = [&](const FeatureMap& z, int64_t b, int64_t entries, int64_t y, int64_t rows) {
    const auto part = [&](const FeatureMap& map) { return map.entries(b, entries).rows(y, rows); };
    std::vector<MapStep> steps = {MapStep::activate(Activation::kRelu),
                                  MapStep::multiply(c.entries(b, entries)),
                                  MapStep::activate(Activation::kSigmoid)};
    if (attention) steps.push_back(MapStep::store(part(attention)));
    steps.push_back(MapStep::multiply(part(x)));
    steps.push_back(MapStep::store(part(out)));
    outer.run(call, z, steps);
  };
  const int64_t height = x.size[1];
  if (!bilinear) return gate(r, 0, x.batch, 0, height);
  // 1 MB of products, or those of one row.
  constexpr int64_t kProducts = 1 << 18;
  const int64_t rowProducts = depth * x.size[2];
  const int64_t rows = std::clamp<int64_t>(kProducts / rowProducts, 1, height);
  const int64_t entries =
      rows < height ? 1 : std::clamp<int64_t>(kProducts / (rows * rowProducts), 1, x.batch);
  float* z = scratch.floats(entries * rows * rowProducts);
  for (int64_t b = 0; b < x.batch; b += entries) {
    const int64_t count = std::min(entries, x.batch - b);
    for (int64_t y = 0; y < height; y += rows) {
      const int64_t n = std::min(rows, height - y);
      gate(products.fill(b, count, y, n, z), b, count, y, n);
    }
  }
}

void run(const Call& call) {
  Scratch& own = Scratch::ofThread();
  const Scratch::Scope scope(own);
  const LayerPack layers = layersOf(call);
  const float* packed = layers.provide(own);
  const FeatureMap x = FeatureMap::of(call.tensor(kX)), out = FeatureMap::of(call.tensor(kOut));
  const FeatureMap attention = FeatureMap::of(call.tensor(kAttention));
  forEntries(call, x, [&](int64_t first, int64_t count, Scratch& scratch) {
    runEntries(call, layers, packed, x.entries(first, count), attention.entries(first, count),
               out.entries(first, count), scratch);
  });
}

double flops(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const double m = static_cast<double>(call.tensor(kLayers).shape[0]);
  const double depth = static_cast<double>(call.tensor(kLayers + kLayerSlots).shape[1]);
  return static_cast<double>(x.size()) * (2 * m + 2 * depth + 24);
}

const Register registered({"bilinearAttention", run, flops, Packed<layersOf>::floats,
                           Packed<layersOf>::pack});

}  // namespace

}  // namespace fovea
