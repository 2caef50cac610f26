#include "kernels/attention/finite-inl.h"
#include "kernels/matrix/elements-inl.h"

constexpr int kLanes = Vec::kLanes;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

inline void scatterRow(Vec v, float* row, int64_t inner, int width) {
  if (inner == 1) {
    if (width == kLanes)
      v.store(row);
    else
      v.storePartial(row, width);
    return;
  }
  float spread[kLanes];
  v.store(spread);
  for (int x = 0; x < width; ++x) row[x * inner] = spread[x];
}

inline int fewer(int a, int b) { return a < b ? a : b; }

void finish(const float* acc, const float* shift, const float* sums, const float* sinks, int count,
            int valueDepth, float* const* out, int64_t inner, float* lse) {
  const Vec one = Vec::set(1.0f), zero = Vec::zero();
  for (int i = 0; i < count; i += kLanes) {
    const int lanes = fewer(count - i, kLanes);
    const Vec sum = Vec::load(sums + i);
    const Mask blind = Vec::equal(sum, zero);  // saw no key
    Vec top = Vec::load(shift + i), total = sum, weight = one;
    if (sinks) {
      const Vec sink = Vec::load(sinks + i);
      const Vec high = Vec::select(blind, sink, Vec::max(sink, top));
      weight = exp2OrZero(top - high);
      total = Vec::fma(sum, weight, exp2OrZero(sink - high));
      top = high;
    }
    if (lse) {
      const Vec seen = Vec::fma(Vec::set(kLn2), top, log(total));
      const Vec none = sinks ? Vec::set(kLn2) * top : Vec::set(-kInfinity);
      Vec::select(blind, none, seen).storePartial(lse + i, lanes);
    }
    const Vec scale = Vec::select(blind, zero, weight / total);
    int c = 0;
    for (; inner == 1 && lanes == kLanes && c + kLanes <= valueDepth; c += kLanes) {
      Vec t[kLanes];
#pragma GCC unroll 16
      for (int u = 0; u < kLanes; ++u) t[u] = Vec::load(acc + (c + u) * kPanel + i) * scale;
      Vec::transpose(t);
#pragma GCC unroll 16
      for (int u = 0; u < kLanes; ++u) t[u].store(out[i + u] + c);
    }
    for (; c < valueDepth; c += kLanes) {
      const int width = fewer(valueDepth - c, kLanes);
      Vec t[kLanes];
      for (int u = 0; u < kLanes; ++u)
        t[u] = u < width ? Vec::load(acc + (c + u) * kPanel + i) * scale : zero;
      Vec::transpose(t);
      for (int u = 0; u < lanes; ++u) scatterRow(t[u], out[i + u] + c * inner, inner, width);
    }
  }
}

inline constexpr AttendPanel kAttendPanel{finish, finiteRows<Floats, float>};
