#include "kernels/matrix/elements-inl.h"

template <class Source>
void widenRow(const uint16_t* from, int64_t step, float* to, int64_t n) {
  constexpr int kLanes = Vec::kLanes;
  int64_t i = 0;
  if (step == 1)
    for (; i + kLanes <= n; i += kLanes) Source::load(from + i).store(to + i);
  for (; i < n; i += kLanes) {
    const int count = n - i < kLanes ? int(n - i) : kLanes;
    Source::loadPartial(from + i * step, count, step).storePartial(to + i, count);
  }
}

inline constexpr Widen kWiden{widenRow<Float16s>, widenRow<Bfloat16s>};
