inline Vec blended(Vec a, Vec b, Vec share) {
  const Vec sum = Vec::fma(share, b, (Vec::set(1.0f) - share) * a);
  return Vec::select(Vec::equal(share, Vec::zero()), a, sum);
}

inline Vec loadLanes(const float* p, int64_t count) {
  return count >= Vec::kLanes ? Vec::load(p) : Vec::loadPartial(p, count < 0 ? 0 : int(count));
}

void columns(const float* x, int64_t step, int64_t width, const ResizeColumns& columns, float* y) {
  constexpr int kLanes = Vec::kLanes;
  for (int64_t i = 0; i < columns.count; i += kLanes) {
    const int64_t* low = columns.low + i;
    const int32_t* offset = columns.offset + i;
    const int count = columns.count - i < kLanes ? int(columns.count - i) : kLanes;
    const int64_t first = low[0];
    Vec a, b;
    if (step == 1 && low[kLanes - 1] + 1 - first < 2 * kLanes) {
      const Vec from = loadLanes(x + first, width - first);
      const Vec next = loadLanes(x + first + kLanes, width - first - kLanes);
      a = Vec::pick(from, next, offset, offset[0]);
      b = Vec::pick(from, next, offset, offset[0] - 1);
    } else {
      float lows[kLanes], highs[kLanes];
      for (int j = 0; j < kLanes; ++j) {
        const int64_t high = low[j] + 1 < width ? low[j] + 1 : low[j];
        lows[j] = x[low[j] * step];
        highs[j] = x[high * step];
      }
      a = Vec::load(lows);
      b = Vec::load(highs);
    }
    const Vec v = blended(a, b, Vec::load(columns.share + i));
    if (count == kLanes) {
      v.store(y + i);
    } else {
      v.storePartial(y + i, count);
    }
  }
}

void blend(const float* a, const float* b, float share, float* y, int64_t n) {
  const Vec s = Vec::set(share);
  for (int64_t i = 0; i < n; i += Vec::kLanes) {
    const int64_t left = n - i;
    const Vec v = blended(loadLanes(a + i, left), loadLanes(b + i, left), s);
    if (left >= Vec::kLanes) {
      v.store(y + i);
    } else {
      v.storePartial(y + i, int(left));
    }
  }
}

inline constexpr ResizeRow kResizeRow{columns, blend};
