#include "engine/attention/attendHeads.h"

#include <cmath>

#include "engine/attention/attend.h"

namespace fovea {

namespace {

// Hands head `index` of all entries to `work`.
void withHead(const ProjectedHeads& x, const ProjectedRows& out, SeenByRow visible, int64_t index,
              FunctionRef<void(const AttendProblem&)> work) {
  const int64_t b = index / x.heads, h = index % x.heads;
  const MatrixRows from = x.query.head(b, h, x.depth), to = out.head(b, h, x.depth);
  AttendProblem p;
  p.rows = x.query.length;
  p.depth = p.valueDepth = static_cast<int>(x.depth);
  p.segments[0] = {x.key.length,
                   {x.key.head(b, h, x.depth).row(0), x.key.stride, 1},
                   {x.value.head(b, h, x.depth).row(0), x.value.stride, 1}};
  p.scale = x.scale();
  const auto describe = [&](int64_t i, QueryRow& r) {
    r.query = from.row(i);
    r.out = to.row(i);
    r.visible[0] = visible(b, i);
  };
  p.describe = describe;
  work(p);
}

}  // namespace

float ProjectedHeads::scale() const {
  return static_cast<float>(1 / std::sqrt(static_cast<double>(depth)));
}

void attendHeads(const Call& call, const ProjectedHeads& x, const ProjectedRows& out,
                 SeenByRow visible) {
  const AttendExtent extent{x.batch * x.heads, x.query.length, x.key.length, x.depth, x.depth};
  attend(call, extent, [&](int64_t index, FunctionRef<void(const AttendProblem&)> work) {
    withHead(x, out, visible, index, work);
  });
}

void attendHeadsHere(const ProjectedHeads& x, const ProjectedRows& out, SeenByRow visible,
                     Scratch& scratch) {
  for (int64_t index = 0; index < x.batch * x.heads; ++index) {
    withHead(x, out, visible, index, [&](const AttendProblem& p) { attendHere(p, scratch); });
  }
}

}  // namespace fovea
