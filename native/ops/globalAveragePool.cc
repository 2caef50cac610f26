#include <algorithm>

#include "core/parallel.h"
#include "core/registry.h"
#include "kernels/copy.h"
#include "kernels/rows.h"

namespace fovea {
namespace {

enum Slot { kX, kOut };

// A plane is summed a chunk of positions at a time, whatever its layout: the same chunks give the
// same bits, and of a plane that is not contiguous only this much lies in scratch.
constexpr int64_t kChunk = 2048;
// Planes read together where they are not contiguous: channels are then often neighbours in memory.
constexpr int64_t kPlanes = 16;
constexpr int64_t kTaskElements = 65536;

// The spatial axes in their order, neighbours that continue each other made one.
struct Plane {
  int axes = 0;
  int64_t size[3], stride[3];
  int64_t positions = 1;

  explicit Plane(const Tensor& x) {
    for (int axis = 2; axis < x.rank; ++axis) {
      const int64_t n = x.shape[axis], step = x.strides[axis];
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

void run(const Call& call) {
  const Tensor& x = call.tensor(kX);
  const Tensor& out = call.tensor(kOut);
  if (x.size() == 0) return;
  const int64_t batch = x.shape[0], channels = x.shape[1];
  const Plane plane(x);
  const bool contiguous = plane.contiguous();
  const int64_t group = contiguous
                            ? std::clamp<int64_t>(kTaskElements / plane.positions, 1, channels)
                            : std::min(kPlanes, channels);
  const int64_t groups = (channels + group - 1) / group;
  const auto sum = rows().sum;
  parallelFor(call, batch * groups, [&](int64_t task, Scratch& scratch) {
    const int64_t b = task / groups, first = task % groups * group;
    const int64_t planes = std::min(group, channels - first);
    const float* from = x.floats() + b * x.strides[0] + first * x.strides[1];
    float* to = out.floats() + b * out.strides[0] + first * out.strides[1];
    if (contiguous) {
      for (int64_t c = 0; c < planes; ++c) {
        double total = 0;
        for (int64_t at = 0; at < plane.positions; at += kChunk) {
          total += sum(from + c * x.strides[1] + at, std::min(kChunk, plane.positions - at));
        }
        to[c * out.strides[1]] = static_cast<float>(total / double(plane.positions));
      }
      return;
    }
    double totals[kPlanes] = {};
    float* chunk = scratch.floats(kPlanes * kChunk);
    for (int64_t at = 0; at < plane.positions; at += kChunk) {
      const int64_t count = std::min(kChunk, plane.positions - at);
      plane.gather(from, x.strides[1], planes, at, count, chunk);
      for (int64_t c = 0; c < planes; ++c) totals[c] += sum(chunk + c * kChunk, count);
    }
    for (int64_t c = 0; c < planes; ++c) {
      to[c * out.strides[1]] = static_cast<float>(totals[c] / double(plane.positions));
    }
  });
}

double flops(const Call& call) { return 4.0 * double(call.tensor(kX).size()); }

const Register registered({"globalAveragePool", run, flops});

}  // namespace
}  // namespace fovea
