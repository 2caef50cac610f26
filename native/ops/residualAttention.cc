// (1 + mask) * trunk, the mask made of logits in three ways; see lib/ops/residualAttention.ts.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "core/registry.h"
#include "engine/maps/mapPass.h"
#include "kernels/matrix/copy.h"
#include "kernels/matrix/rows.h"

namespace fovea {

namespace {

enum Slot { kTrunk, kMaskLogits, kOut, kMask };
enum Param { kKind, kEps };
enum Kind { kMixed, kChannel, kSpatial };

// The rest of the one pass over the logits, once they have become the mask.
void gate(const Call& call, const FeatureMap& logits, std::vector<MapStep> steps,
          const FeatureMap& trunk, const FeatureMap& mask, const FeatureMap& out) {
  if (mask) steps.push_back(MapStep::store(mask));
  steps.push_back(MapStep::modulate(trunk));
  steps.push_back(MapStep::store(out));
  mapPass(call, logits, steps);
}

// Of each position, 1 / max(length of its vector of channels, eps), as a map [B, 1, H, W].
void inverseLengths(const Call& call, const FeatureMap& map, double eps, float* inverse) {
  constexpr int64_t kRun = 512;
  int64_t step;
  const FeatureMap x = map.isLine(step) ? map.line(step) : map;
  const int64_t width = x.size[2], runs = ceilDiv(width, kRun);
  parallelFor(call, x.batch * x.size[1] * runs, [&](int64_t task, Scratch& scratch) {
    const int64_t first = task % runs * kRun, y = task / runs % x.size[1];
    const int64_t b = task / runs / x.size[1], n = std::min(kRun, width - first);
    double sums[kRun] = {};
    float* gathered = scratch.floats(kRun);
    for (int64_t c = 0; c < x.channels; ++c) {
      rows().addSquaresWide(adjacent(x.at(b, c, 0, y, first), x.stride[2], n, gathered), sums, n);
    }
    // Finite: a vector of zeros times an infinite inverse would be no number.
    constexpr double kMost = std::numeric_limits<float>::max();
    float* to = inverse + (b * x.size[1] + y) * width + first;
    for (int64_t i = 0; i < n; ++i) {
      to[i] = static_cast<float>(std::min(1 / std::max(std::sqrt(sums[i]), eps), kMost));
    }
  });
}

// What standardises each channel of each batch entry over its positions, [batch][channels] each.
// The mean is float64: what a float32 one lacks is part of the shift.
struct Standards {
  float *centre, *scale, *shift;
  Standards(int64_t count, Scratch& scratch)
      : centre(scratch.floats(count)), scale(scratch.floats(count)), shift(scratch.floats(count)) {}
  MapStep step(int64_t at, Activation then) const {
    return MapStep::affine({centre + at, scale + at, shift + at}, then);
  }
};

void standardise(const Call& call, const FeatureMap& x, double eps, const Standards& to) {
  constexpr int64_t kTaskElements = 32768;
  // Summed row by row, whatever the layout: the same rows give the same bits.
  const int64_t rowsOfPlane = x.size[1], width = x.size[2], planes = x.batch * x.channels;
  const int64_t taskPlanes = std::max<int64_t>(kTaskElements / x.positions(), 1);
  parallelFor(call, ceilDiv(planes, taskPlanes), [&](int64_t task, Scratch& scratch) {
    float* gathered = scratch.floats(width);
    const auto total = [&](int64_t b, int64_t c, auto sumOfRow) {
      double sum = 0;
      for (int64_t y = 0; y < rowsOfPlane; ++y) {
        sum += sumOfRow(adjacent(x.at(b, c, 0, y, 0), x.stride[2], width, gathered));
      }
      return sum / static_cast<double>(x.positions());
    };
    const int64_t end = std::min((task + 1) * taskPlanes, planes);
    for (int64_t i = task * taskPlanes; i < end; ++i) {
      const int64_t b = i / x.channels, c = i % x.channels;
      const double mean = total(b, c, [&](const float* row) { return rows().sum(row, width); });
      const double variance = total(
          b, c, [&](const float* row) { return rows().sumSquaredDeviations(row, width, mean); });
      const double scale = 1 / std::sqrt(variance + eps);
      to.centre[i] = static_cast<float>(mean);
      to.scale[i] = static_cast<float>(scale);
      to.shift[i] = static_cast<float>((static_cast<double>(to.centre[i]) - mean) * scale);
    }
  });
}

void run(const Call& call) {
  const FeatureMap trunk = FeatureMap::of(call.tensor(kTrunk));
  const FeatureMap logits = FeatureMap::of(call.tensor(kMaskLogits));
  const FeatureMap out = FeatureMap::of(call.tensor(kOut));
  const FeatureMap mask = FeatureMap::of(call.tensor(kMask));
  if (logits.batch == 0) return;
  Scratch& scratch = Scratch::ofThread();
  const Scratch::Scope scope(scratch);
  const double eps = call.number(kEps);
  switch (call.integer(kKind)) {
    case kMixed:
      return gate(call, logits, {MapStep::activate(Activation::kSigmoid)}, trunk, mask, out);
    case kChannel: {
      float* inverse = scratch.floats(logits.batch * logits.positions());
      inverseLengths(call, logits, eps, inverse);
      const FeatureMap by = FeatureMap::contiguous(inverse, logits.batch, 1, logits.size);
      return gate(call, logits, {MapStep::multiply(by)}, trunk, mask, out);
    }
    case kSpatial: {
      const Standards standards(logits.batch * logits.channels, scratch);
      standardise(call, logits, eps, standards);
      for (int64_t b = 0; b < logits.batch; ++b) {
        gate(call, logits.entry(b), {standards.step(b * logits.channels, Activation::kSigmoid)},
             trunk.entry(b), mask ? mask.entry(b) : mask, out.entry(b));
      }
      return;
    }
  }
}

double flops(const Call& call) { return 24.0 * static_cast<double>(call.tensor(kTrunk).size()); }

const Register registered({"residualAttention", run, flops});

}  // namespace

}  // namespace fovea
