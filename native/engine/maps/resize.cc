#include "engine/maps/resize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "kernels/maps/resizeRow.h"

namespace fovea {

namespace {

// Elements of the output that make a task, some ten microseconds.
constexpr int64_t kTaskElements = 32768;
// Rows narrower than this go through the steps several at a time, so many elements together.
constexpr int64_t kNarrowRow = 64;
constexpr int64_t kRun = 1024;

// Where the positions of one axis lie.
struct Axis {
  const int64_t* low;
  const float* share;
};

Axis axisOf(int64_t n, int64_t m, bool alignCorners, Scratch& scratch) {
  const int64_t padded = ceilDiv(m, kResizeBlock) * kResizeBlock;
  auto* low = scratch.array<int64_t>(padded);
  float* share = scratch.floats(padded);
  const double size = static_cast<double>(n), count = static_cast<double>(m);
  for (int64_t i = 0; i < m; ++i) {
    const double at = static_cast<double>(i);
    const double s = !alignCorners ? std::max(0.0, (at + 0.5) * size / count - 0.5)
                     : m == 1      ? 0.0
                                   : at * (size - 1) / (count - 1);
    low[i] = std::min(static_cast<int64_t>(s), n - 1);
    // The last element has no other beside it.
    share[i] = low[i] == n - 1 ? 0.0f : static_cast<float>(s - std::floor(s));
  }
  std::fill(low + m, low + padded, low[m - 1]);
  std::fill(share + m, share + padded, share[m - 1]);
  return {low, share};
}

ResizeColumns columnsOf(const Axis& axis, int64_t m, Scratch& scratch) {
  const int64_t padded = ceilDiv(m, kResizeBlock) * kResizeBlock;
  int32_t* offset = scratch.ints(padded);
  for (int64_t i = 0; i < padded; ++i) {
    const int64_t from = axis.low[i] - axis.low[i / kResizeBlock * kResizeBlock];
    offset[i] = static_cast<int32_t>(std::min<int64_t>(from, std::numeric_limits<int32_t>::max()));
  }
  return {axis.low, offset, axis.share, m};
}

// Rows of x stretched to the output's width: those that the last output row was blended from. An
// input row and the next one never share a place.
class StretchedRows {
 public:
  StretchedRows(const FeatureMap& x, const ResizeColumns& columns, Scratch& scratch)
      : x_(x), columns_(columns) {
    for (float*& row : rows_) row = scratch.floats(columns.count);
  }
  const float* at(int64_t b, int64_t c, int64_t z, int64_t y) {
    const size_t place = static_cast<size_t>(z % 2 * 2 + y % 2);
    const float* from = x_.at(b, c, z, y, 0);
    const int64_t id = ((b * x_.channels + c) * x_.size[0] + z) * x_.size[1] + y;
    if (held_[place] != id) {
      resizeRow().columns(from, x_.size[2] == 1 ? 1 : x_.stride[2], x_.size[2], columns_,
                          rows_[place]);
      held_[place] = id;
    }
    return rows_[place];
  }

 private:
  const FeatureMap& x_;
  const ResizeColumns& columns_;
  float* rows_[4];
  int64_t held_[4] = {-1, -1, -1, -1};
};

}  // namespace

void resize(const Call& call, const FeatureMap& x, const int64_t* size, bool alignCorners,
            std::span<const MapStep> steps) {
  const int64_t width = size[2], planeRows = size[1] * size[0];
  if (x.batch * x.channels * planeRows * width == 0) return;
  Scratch& own = Scratch::ofThread();
  const Scratch::Scope scope(own);
  Axis axes[3];
  for (int axis = 0; axis < 3; ++axis) {
    axes[axis] = axisOf(x.size[axis], size[axis], alignCorners, own);
  }
  const ResizeColumns columns = columnsOf(axes[2], width, own);
  const MapSteps rows(steps);
  MapSteps lines(steps);
  // Several narrow rows are as good as one where nothing lies between them.
  const bool together = width < kNarrowRow && lines.isLine();
  if (together) lines.asLine();
  const int64_t group = together ? kRun / width : 1;

  const int64_t channels = x.batch * x.channels;
  const int64_t taskChannels =
      std::clamp<int64_t>(kTaskElements / (planeRows * width), 1, channels);
  const int64_t taskRows = std::clamp<int64_t>(kTaskElements / width / group * group, group,
                                               ceilDiv(planeRows, group) * group);
  const int64_t parts = ceilDiv(planeRows, taskRows);
  const int64_t tasks = ceilDiv(channels, taskChannels);
  const auto blend = resizeRow().blend;
  parallelFor(call, tasks * parts, [&](int64_t task, Scratch& scratch) {
    StretchedRows stretched(x, columns, scratch);
    float* values = scratch.floats(group * width);
    float* buffer = scratch.floats(group * width);
    // One row of the output, from the two (or two times two) that it lies between.
    const auto rowTo = [&](const MapPlace& at, float* to) {
      const int64_t y = axes[1].low[at.y], z = axes[0].low[at.z];
      const float shareY = axes[1].share[at.y], shareZ = axes[0].share[at.z];
      const auto slice = [&](int64_t fromZ, float* into) {
        const float* low = stretched.at(at.b, at.c, fromZ, y);
        blend(low, shareY == 0 ? low : stretched.at(at.b, at.c, fromZ, y + 1), shareY, into, width);
      };
      slice(z, to);
      if (shareZ == 0) return;
      slice(z + 1, buffer);
      blend(to, buffer, shareZ, to, width);
    };
    const int64_t firstRow = task % parts * taskRows;
    const int64_t endRow = std::min(firstRow + taskRows, planeRows);
    const int64_t endChannel = std::min((task / parts + 1) * taskChannels, channels);
    for (int64_t i = task / parts * taskChannels; i < endChannel; ++i) {
      for (int64_t row = firstRow; row < endRow; row += group) {
        const int64_t count = std::min(group, endRow - row);
        MapPlace at{i / x.channels, i % x.channels, 0, 0, 0};
        const auto place = [&](int64_t r) {
          return MapPlace{at.b, at.c, r / size[1], r % size[1], 0};
        };
        if (together) {
          at.x = row * width;
          float* to = lines.target(at);
          for (int64_t r = 0; r < count; ++r) rowTo(place(row + r), (to ? to : values) + r * width);
          if (!to) lines.apply(at, values, values, count * width, buffer);
          continue;
        }
        float* to = rows.target(place(row));
        rowTo(place(row), to ? to : values);
        if (!to) rows.apply(place(row), values, values, width, buffer);
      }
    }
  });
}

}  // namespace fovea
