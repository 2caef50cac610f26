// Measures the machine, not a mechanism: called by the benchmark alone, through the same bridge and
// threads as every operation.
// Slots: source [n], destination [n] (both only where the kind needs them), sink [parts].
// Parameters: kind (0 multiply-add, 1 read, 2 copy), steps of the multiply-add.
#include <cstring>

#include "core/parallel.h"
#include "core/registry.h"
#include "kernels/matrix/peak.h"

namespace fovea {

namespace {

enum Kind { kMultiplyAdd, kRead, kCopy };

// Parts start at multiples of 16 floats, one cache line.
int64_t partBegin(int64_t n, int64_t part, int64_t parts) { return n / 16 * part / parts * 16; }

void run(const Call& call) {
  const Tensor& source = call.tensor(0);
  const Tensor& destination = call.tensor(1);
  const Tensor& sink = call.tensor(2);
  const int64_t parts = sink.shape[0];
  const int64_t n = source.described() ? source.shape[0] : 0;
  parallelFor(call, parts, [&](int64_t part, Scratch&) {
    const int64_t begin = partBegin(n, part, parts);
    const int64_t count = partBegin(n, part + 1, parts) - begin;
    switch (call.integer(0)) {
      case kMultiplyAdd:
        sink.floats()[part] = peak().multiplyAdd(call.integer(1));
        break;
      case kRead:
        sink.floats()[part] = peak().sum(source.floats() + begin, count);
        break;
      case kCopy:
        std::memcpy(destination.floats() + begin, source.floats() + begin,
                    static_cast<size_t>(count) * sizeof(float));
        break;
    }
  });
}

double flops(const Call& call) {
  const auto parts = static_cast<double>(call.tensor(2).shape[0]);
  return call.integer(0) == kMultiplyAdd ? parts * call.number(1) * peak().flopsPerStep
                                         : static_cast<double>(call.tensor(0).shape[0]);
}

const Register registered({"machinePeak", run, flops});

}  // namespace

}  // namespace fovea
