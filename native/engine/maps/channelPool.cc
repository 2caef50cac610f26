#include "engine/maps/channelPool.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "kernels/matrix/copy.h"
#include "kernels/matrix/rows.h"

namespace fovea {

namespace {

// A plane is pooled a chunk of positions at a time, whatever its layout: the same chunks give the
// same bits, a chunk stays in the first-level cache for all pools, and of a plane that is not
// contiguous only this much lies in scratch.
constexpr int64_t kChunk = 512;
// Planes read together: memory gives more to several streams than to one, and where planes are not
// contiguous their channels are often neighbours.
constexpr int64_t kPlanes = 8;
constexpr int64_t kGatheredPlanes = 16;
constexpr int64_t kTaskElements = 65536;
constexpr float kLowest = -std::numeric_limits<float>::infinity();

// The spatial axes in their order, neighbours that continue each other made one.
struct Plane {
  int axes = 0;
  int64_t size[3], stride[3];
  int64_t positions = 1;

  explicit Plane(const FeatureMap& x) {
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t n = x.size[axis], step = x.stride[axis];
      positions *= n;
      if (n == 1) continue;
      if (axes > 0 && stride[axes - 1] == n * step) {
        size[axes - 1] *= n;
        stride[axes - 1] = step;
      } else {
        size[axes] = n;
        stride[axes++] = step;
      }
    }
    if (axes == 0) {
      axes = 1;
      size[0] = stride[0] = 1;
    }
  }

  bool contiguous() const { return axes == 1 && stride[0] == 1; }

  // Positions [first, first + count) of `planes` planes `pitch` apart, to rows of kChunk.
  void gather(const float* x, int64_t pitch, int64_t planes, int64_t first, int64_t count,
              float* to) const {
    const int64_t width = size[axes - 1], step = stride[axes - 1];
    for (int64_t done = 0; done < count;) {
      int64_t rest = (first + done) / width, offset = 0;
      for (int axis = axes - 2; axis >= 0; --axis) {
        offset += rest % size[axis] * stride[axis];
        rest /= size[axis];
      }
      const int64_t column = (first + done) % width;
      const int64_t run = std::min(width - column, count - done);
      copy().tile(x + offset + column * step, pitch, step, to + done, kChunk, 1, planes, run);
      done += run;
    }
  }
};

// What one pool knows of a channel while its chunks pass.
struct Total {
  double sum = 0;
  float most = kLowest;

  void add(PoolKind kind, const float* chunk, int64_t n) {
    switch (kind) {
      case PoolKind::kMean:  // of several planes together, below
        return;
      case PoolKind::kNorm:
        sum += rows().sumSquaredDeviations(chunk, n, 0);
        return;
      case PoolKind::kMaximum:
        raise(rows().maximum(chunk, n));
        return;
      case PoolKind::kLogSumExp: {
        // Every sum is of exp(x - most); a larger chunk takes the sum so far down to its own.
        const float before = shift();
        raise(rows().maximum(chunk, n));
        sum = sum * std::exp(static_cast<double>(before) - static_cast<double>(shift())) +
              rows().sumExponentials(chunk, n, shift());
        return;
      }
    }
  }
  float result(PoolKind kind, int64_t n) const {
    switch (kind) {
      case PoolKind::kMean:
        return static_cast<float>(sum / static_cast<double>(n));
      case PoolKind::kNorm:
        return static_cast<float>(std::sqrt(sum));
      case PoolKind::kMaximum:
        return most;
      case PoolKind::kLogSumExp:
        return static_cast<float>(static_cast<double>(shift()) + std::log(sum));
    }
    return 0;
  }

 private:
  void raise(float to) {
    if (!(to <= most)) most = std::isnan(most) ? most : to;
  }
  // Channels of -inf have no maximum to subtract.
  float shift() const { return most == kLowest ? 0.0f : most; }
};

}  // namespace

void poolChannels(const Call& call, const FeatureMap& x, std::span<const ChannelPool> pools) {
  if (x.batch * x.channels == 0) return;
  const Plane plane(x);
  const bool contiguous = plane.contiguous();
  const int64_t most = contiguous ? kPlanes : kGatheredPlanes;
  const int64_t group =
      contiguous ? std::max<int64_t>(kTaskElements / plane.positions / most, 1) * most : most;
  const int64_t groups = ceilDiv(x.channels, group);
  const auto kinds = static_cast<int64_t>(pools.size());
  parallelFor(call, x.batch * groups, [&](int64_t task, Scratch& scratch) {
    const int64_t b = task / groups, first = task % groups * group;
    const int64_t end = std::min(first + group, x.channels);
    float* gathered = contiguous ? nullptr : scratch.floats(most * kChunk);
    auto* totals = scratch.array<Total>(most * kinds);
    for (int64_t c = first; c < end; c += most) {
      const int64_t together = std::min(most, end - c);
      std::fill_n(totals, together * kinds, Total{});
      const float* from = x.at(b, c, 0, 0, 0);
      const int64_t pitch = contiguous ? x.channelStride : kChunk;
      for (int64_t at = 0; at < plane.positions; at += kChunk) {
        const int64_t count = std::min(kChunk, plane.positions - at);
        if (!contiguous) plane.gather(from, x.channelStride, together, at, count, gathered);
        const float* chunk = contiguous ? from + at : gathered;
        for (int64_t k = 0; k < kinds; ++k) {
          const PoolKind kind = pools[static_cast<size_t>(k)].kind;
          double sums[kGatheredPlanes];
          if (kind == PoolKind::kMean) rows().sumRows(chunk, pitch, together, count, sums);
          for (int64_t i = 0; i < together; ++i) {
            Total& total = totals[i * kinds + k];
            if (kind == PoolKind::kMean) {
              total.sum += sums[i];
            } else {
              total.add(kind, chunk + i * pitch, count);
            }
          }
        }
      }
      const Total* total = totals;
      for (int64_t i = 0; i < together; ++i) {
        for (const auto& [kind, out] : pools) {
          *out.at(b, c + i, 0, 0, 0) = (total++)->result(kind, plane.positions);
        }
      }
    }
  });
}

}  // namespace fovea
