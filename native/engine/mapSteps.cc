#include "engine/mapSteps.h"

#include <algorithm>

#include "kernels/copy.h"
#include "kernels/mapRow.h"

namespace fovea {

MapSteps::MapSteps(std::span<const MapStep> steps)
    : count_(static_cast<int>(std::min<size_t>(steps.size(), kMost))) {
  std::copy_n(steps.begin(), count_, steps_);
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

void MapSteps::apply(const MapPlace& at, float* values, int64_t n, float* buffer) const {
  const MapRow& row = mapRow();
  for (const MapStep& s : std::span(steps_, static_cast<size_t>(count_))) {
    if (s.kind == MapStep::Kind::kAffine) {
      row.affine(values, values, n, s.channel.centreOf(at.c), s.channel.scaleOf(at.c),
                 s.channel.shiftOf(at.c), s.activation);
      continue;
    }
    float* m = s.map.at(at.b, at.c, at.z, at.y, at.x);
    int64_t step = s.map.stride[2];
    if (s.kind == MapStep::Kind::kStore) {
      copy().tile(values, 0, 1, m, 0, step, 1, n);
      continue;
    }
    if (step != 0 && step != 1) {
      copy().tile(m, 0, step, buffer, 0, 1, 1, n);
      m = buffer;
      step = 1;
    }
    const auto combine = s.kind == MapStep::Kind::kMultiply ? row.multiply
                         : s.kind == MapStep::Kind::kAdd    ? row.add
                                                            : row.modulate;
    combine(values, m, step, values, n);
  }
}

}  // namespace fovea
