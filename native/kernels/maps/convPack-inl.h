inline void clear(float* to, int64_t n) {
  int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) Vec::zero().store(to + i);
  if (i < n) Vec::zero().storePartial(to + i, int(n - i));
}

// to[i] = f(from[i * step]), i < n. The next plane lies on other pages, which the processor does
// not fetch by itself: asking for it took a 1x1 convolution of 256 to 64 channels of 56 x 56
// from 1.66 to 1.52 ms.
template <class Transform>
inline void packRow(const float* from, int64_t step, int64_t ahead, float* to, int64_t n,
                    Transform f) {
  constexpr int kLanes = Vec::kLanes;
  int64_t i = 0;
  if (step == 1) {
    for (; i + kLanes <= n; i += kLanes) {
      if (ahead != 0 && (kLanes >= 16 || i % 16 == 0)) __builtin_prefetch(from + i + ahead);
      f(Vec::load(from + i)).store(to + i);
    }
    if (i < n) f(Vec::loadPartial(from + i, int(n - i))).storePartial(to + i, int(n - i));
    return;
  }
  if (step == 2) {
    // One less than would fit: the element behind the last even one may not be there.
    for (; i + kLanes < n; i += kLanes) {
      const Vec low = Vec::load(from + 2 * i), high = Vec::load(from + 2 * i + kLanes);
      f(Vec::evens(low, high)).store(to + i);
    }
  }
  float gathered[kLanes] = {};
  for (; i < n; i += kLanes) {
    const int count = n - i < kLanes ? int(n - i) : kLanes;
    for (int j = 0; j < count; ++j) gathered[j] = from[(i + j) * step];
    f(Vec::load(gathered)).storePartial(to + i, count);
  }
}

// The first j >= 0 with start + j * step >= bound, at most `most`.
inline int64_t firstAtLeast(int64_t bound, int64_t start, int64_t step, int64_t most) {
  if (start >= bound) return 0;
  const int64_t j = (bound - start + step - 1) / step;
  return j < most ? j : most;
}

// One channel, of whose columns [first, end) are in the map.
template <class Transform>
inline void packPlane(const ConvPlanes& p, const float* plane, float* to, int64_t first,
                      int64_t end, Transform f) {
  for (int64_t j = 0; j < p.rows; ++j, to += p.pitch) {
    const int64_t row = p.row + j * p.rowStep;
    if (row < 0 || row >= p.height || first >= end) {
      clear(to, p.columns);
      continue;
    }
    clear(to, first);
    packRow(plane + row * p.rowStride + (p.column + first * p.columnStep) * p.columnStride,
            p.columnStep * p.columnStride, p.ahead, to + first, end - first, f);
    clear(to + end, p.columns - end);
  }
}

void planes(const ConvPlanes& p) {
  const int64_t first = firstAtLeast(0, p.column, p.columnStep, p.columns);
  const int64_t end = firstAtLeast(p.width, p.column, p.columnStep, p.columns);
  const Vec least = Vec::set(p.least);
  for (int64_t c = 0; c < p.channels; ++c) {
    const float* from = p.from + c * p.channelStride;
    float* to = p.to + c * p.toStride;
    if (!p.transforms) {
      packPlane(p, from, to, first, end, [](Vec x) { return x; });
      continue;
    }
    const Vec centre = Vec::set(p.centre ? p.centre[c] : 0.0f);
    const Vec scale = Vec::set(p.scale ? p.scale[c] : 1.0f);
    const Vec shift = Vec::set(p.shift ? p.shift[c] : 0.0f);
    packPlane(p, from, to, first, end,
              [=](Vec x) { return Vec::max(least, Vec::fma(x - centre, scale, shift)); });
  }
}

inline constexpr ConvPack kConvPack{planes};
