#include "engine/maps/mapSteps.h"

#include <algorithm>

#include "kernels/maps/mapRow.h"
#include "kernels/matrix/copy.h"

namespace fovea {

MapSteps::MapSteps(std::span<const MapStep> steps)
    : count_(static_cast<int>(std::min<size_t>(steps.size(), kMost))) {
  std::copy_n(steps.begin(), count_, steps_);
  for (MapStep& s : std::span(steps_, static_cast<size_t>(count_))) s.map = s.map.spread();
}

bool MapSteps::isLine() const {
  int64_t step;
  return std::all_of(steps_, steps_ + count_, [&](const MapStep& s) {
    return s.kind == MapStep::Kind::kAffine || s.map.isLine(step);
  });
}

void MapSteps::asLine() {
  for (MapStep& s : std::span(steps_, static_cast<size_t>(count_))) {
    int64_t step;
    if (s.kind != MapStep::Kind::kAffine && s.map.isLine(step)) s.map = s.map.line(step);
  }
}

float* MapSteps::target(const MapPlace& at) const {
  const MapStep& s = steps_[0];
  if (count_ != 1 || s.kind != MapStep::Kind::kStore || s.map.stride[2] != 1) return nullptr;
  return s.map.at(at.b, at.c, at.z, at.y, at.x);
}

void MapSteps::apply(const MapPlace& at, const float* from, float* values, int64_t n,
                     float* buffer) const {
  const MapRow& row = mapRow();
  const auto move = copy().tile;
  for (int i = 0; i < count_; ++i) {
    const MapStep& s = steps_[i];
    const auto elements = [&](const MapStep& step) {
      return step.map.at(at.b, at.c, at.z, at.y, at.x);
    };
    if (s.kind == MapStep::Kind::kStore) {
      move(from, 0, 1, elements(s), 0, s.map.stride[2], 1, n);
      continue;
    }
    // A last store to adjacent elements is where the step before it writes.
    float* to = values;
    bool streams = false;
    if (i == count_ - 2) {
      const MapStep& last = steps_[i + 1];
      if (last.kind == MapStep::Kind::kStore && last.map.stride[2] == 1) {
        to = elements(last);
        streams = last.streams;
        ++i;
      }
    }
    if (s.kind == MapStep::Kind::kAffine) {
      row.affine(from, to, n, s.channel.centreOf(at.c), s.channel.scaleOf(at.c),
                 s.channel.shiftOf(at.c), s.activation);
    } else {
      const float* m = elements(s);
      int64_t step = s.map.stride[2];
      if (step != 0 && step != 1) {
        move(m, 0, step, buffer, 0, 1, 1, n);
        m = buffer;
        step = 1;
      }
      const auto combine = s.kind == MapStep::Kind::kMultiply ? row.multiply
                           : s.kind == MapStep::Kind::kAdd    ? row.add
                                                              : row.modulate;
      combine(from, m, step, to, n, streams);
    }
    from = to;
  }
}

}  // namespace fovea
