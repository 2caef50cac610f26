template <Vec (*kLoad)(const uint16_t*)>
void widenRow(const uint16_t* from, int64_t step, float* to, int64_t n) {
  constexpr int kLanes = Vec::kLanes;
  int64_t i = 0;
  if (step == 1)
    for (; i + kLanes <= n; i += kLanes) kLoad(from + i).store(to + i);
  while (i < n) {
    uint16_t some[kLanes] = {};
    const int count = n - i < kLanes ? int(n - i) : kLanes;
    for (int lane = 0; lane < count; ++lane) some[lane] = from[(i + lane) * step];
    kLoad(some).storePartial(to + i, count);
    i += count;
  }
}

inline constexpr Widen kWiden{widenRow<Vec::loadFloat16>, widenRow<Vec::loadBfloat16>};
