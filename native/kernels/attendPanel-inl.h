constexpr int kLanes = Vec::kLanes;
constexpr float kLog2e = 1.44269504088896341f;
constexpr float kLn2 = 0.69314718055994531f;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// row[k * inner] for k < width, zero behind.
inline Vec gatherRow(const float* row, int64_t inner, int width) {
  if (inner == 1) return width == kLanes ? Vec::load(row) : Vec::loadPartial(row, width);
  float gathered[kLanes] = {};
  for (int x = 0; x < width; ++x) gathered[x] = row[x * inner];
  return Vec::load(gathered);
}

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

void packAddend(const float* const* bias, int64_t biasStride, const uint8_t* const* mask,
                int64_t maskStride, int count, int keys, float* addend) {
  const auto part = [&](int i, int j, int width) {
    Vec a = Vec::zero();
    if (bias) a = gatherRow(bias[i] + j * biasStride, biasStride, width) * Vec::set(kLog2e);
    if (mask) {
      const uint8_t* p = mask[i] + j * maskStride;
      uint8_t gathered[kLanes] = {};
      if (maskStride != 1 || width < kLanes) {
        for (int x = 0; x < width; ++x) gathered[x] = p[x * maskStride];
        p = gathered;
      }
      a = Vec::select(Mask::ofBytes(p), a, Vec::set(-kInfinity));
    }
    return a;
  };
  // One row for all queries (a key padding mask, say) is read once and spread out.
  bool same = true;
  for (int i = 1; i < count && same; ++i)
    same = (!bias || bias[i] == bias[0]) && (!mask || mask[i] == mask[0]);
  for (int j = 0; j < keys; j += kLanes) {
    const int width = fewer(keys - j, kLanes);
    if (same) {
      float one[kLanes];
      part(0, j, width).store(one);
      for (int x = 0; x < width; ++x)
        for (int i = 0; i < count; i += kLanes)
          Vec::set(one[x]).store(addend + (j + x) * kPanel + i);
      continue;
    }
    for (int i = 0; i < count; i += kLanes) {
      Vec t[kLanes];
      for (int u = 0; u < kLanes; ++u) t[u] = part(fewer(i + u, count - 1), j, width);
      Vec::transpose(t);
      for (int x = 0; x < width; ++x) t[x].store(addend + (j + x) * kPanel + i);
    }
  }
}

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

bool finite(const float* const* rows, int count, int depth) {
  // 0 * x is 0 for a finite x and NaN for any other.
  Vec sum = Vec::zero();
  for (int j = 0; j < count; ++j) {
    int k = 0;
    for (; k + kLanes <= depth; k += kLanes)
      sum = Vec::fma(Vec::zero(), Vec::load(rows[j] + k), sum);
    if (k < depth) sum = Vec::fma(Vec::zero(), Vec::loadPartial(rows[j] + k, depth - k), sum);
  }
  return !Vec::isNan(sum).any();
}

inline constexpr AttendPanel kAttendPanel{packAddend, finish, finite};
