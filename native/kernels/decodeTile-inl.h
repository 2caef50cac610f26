constexpr int kLanes = Vec::kLanes;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kSlack = 8.0f;  // as in attendTile-inl.h

inline void prefetchRow(const float* row, int width) {
  for (int at = 0; at < width; at += 16) __builtin_prefetch(row + at, 0, 2);
}

// Scores of kRows queries, one key after the other; the lanes of kLanes keys are then summed
// together, by a transposition.
template <int kRows>
void scoreRows(const DecodeBlock& b, int first, float* scores) {
  const int64_t pitch = padded(b.depth);
  const float* queries = b.queries + first * pitch;
  const int whole = b.depth / kLanes * kLanes, rest = b.depth - whole;
  const bool ahead = b.nextKeys && first == 0 && kRows <= kLanes;
  Vec lanes[kRows][kLanes];
  for (int j = 0; j < b.keys; j += kLanes) {
    const int count = b.keys - j < kLanes ? b.keys - j : kLanes;
    for (int i = 0; i < count; ++i) {
      const float* key = b.keyRows[j + i];
      if (ahead && i < kLanes - kRows) prefetchRow(b.nextKeys[j + i], b.depth);
      Vec acc[kRows];
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) acc[r] = Vec::zero();
      for (int k = 0; k < whole; k += kLanes) {
        const Vec x = Vec::load(key + k);
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r)
          acc[r] = Vec::fma(x, Vec::load(queries + r * pitch + k), acc[r]);
      }
      if (rest) {
        const Vec x = Vec::loadPartial(key + whole, rest);
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r)
          acc[r] = Vec::fma(x, Vec::load(queries + r * pitch + whole), acc[r]);
      }
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) lanes[r][i] = acc[r];
    }
    // The sums over lanes need nothing from memory: what is asked for meanwhile keeps it busy.
    for (int r = 0; r < kRows; ++r) {
      if (ahead) prefetchRow(b.nextKeys[j + kLanes - kRows + r], b.depth);
      for (int i = count; i < kLanes; ++i) lanes[r][i] = Vec::zero();
      Vec::transpose(lanes[r]);
      for (int width = kLanes / 2; width > 0; width /= 2)
        for (int i = 0; i < width; ++i) lanes[r][i] = lanes[r][i] + lanes[r][i + width];
      lanes[r][0].store(scores + (first + r) * kDecodeKeys + j);
    }
  }
}

// p = exp2(s - shift) for one row; returns what its acc has to be multiplied by.
float normaliseRow(const DecodeBlock& b, int r, float* scores) {
  const Vec hidden = Vec::set(-kInfinity), cap = Vec::set(b.softcap);
  const Vec perCap = Vec::set(b.softcap > 0 ? 1 / b.softcap : 0);
  Vec most = hidden;
  for (int j = 0; j < b.keys; j += kLanes) {
    Vec s = Vec::load(scores + j);
    if (b.softcap > 0) s = cap * tanh(s * perCap);
    if (b.slopes) {
      const Vec away = Vec::set(b.positions[r] - float(j)) - Vec::iota();
      s = Vec::fnma(Vec::set(b.slopes[r]), Vec::abs(away), s);
    }
    if (b.addend) {
      const Vec a = Vec::load(b.addend + r * kDecodeKeys + j);
      s = Vec::select(Vec::equal(a, hidden), hidden, s + a);
    }
    s = Vec::select(Mask::between(b.begin[r] - j, b.end[r] - j), s, hidden);
    s.store(scores + j);
    most = Vec::max(most, s);
  }
  const float top = most.maximum();
  float* sums = b.sums + r * kDecodeLanes;
  Vec sum = Vec::load(sums);
  const bool fresh = sum.sum() == 0 && top > -kInfinity;
  float factor = 1.0f;
  if (fresh || top > b.shift[r] + kSlack) {
    if (!fresh) {
      float one[kLanes];
      exp2OrZero(Vec::set(b.shift[r] - top)).store(one);
      factor = one[0];
    }
    b.shift[r] = top;
    sum = sum * Vec::set(factor);
  }
  const Vec shift = Vec::set(b.shift[r]), smallest = Vec::set(std::numeric_limits<float>::min());
  for (int j = 0; j < b.keys; j += kLanes) {
    const Vec s = Vec::load(scores + j);
    Vec p = exp2OrZero(s - shift);
    if (b.careful)  // zero must mean hidden, and nothing else
      p = Vec::select(Vec::equal(s, hidden), Vec::zero(), Vec::max(smallest, p));
    p.store(scores + j);
    sum = sum + p;
  }
  sum.store(sums);
  return factor;
}

template <int kRows, int kVecs>
inline void weighColumns(const DecodeBlock& b, int first, const float* p, const float* factor,
                         int column, int width, bool prefetch) {
  const int64_t pitch = padded(b.valueDepth);
  float* out = b.acc + first * pitch + column;
  const int rest = width - (kVecs - 1) * kLanes;  // columns of the last vector
  Vec acc[kRows][kVecs];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < kVecs; ++c)
      acc[r][c] = Vec::load(out + r * pitch + c * kLanes) * Vec::set(factor[first + r]);
  }
  for (int j = 0; j < b.keys; ++j) {
    const float* value = b.valueRows[j] + column;
    if (prefetch) prefetchRow(b.nextValues[j] + column, width);
    Vec v[kVecs];
#pragma GCC unroll 8
    for (int c = 0; c < kVecs - 1; ++c) v[c] = Vec::load(value + c * kLanes);
    v[kVecs - 1] = rest >= kLanes ? Vec::load(value + (kVecs - 1) * kLanes)
                                  : Vec::loadPartial(value + (kVecs - 1) * kLanes, rest);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec w = Vec::set(p[(first + r) * kDecodeKeys + j]);
#pragma GCC unroll 8
      for (int c = 0; c < kVecs; ++c) acc[r][c] = Vec::fma(w, v[c], acc[r][c]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < kVecs; ++c) acc[r][c].store(out + r * pitch + c * kLanes);
  }
}

template <int kRows>
void weighRows(const DecodeBlock& b, int first, const float* p, const float* factor) {
  // Accumulators: 16 of 32 registers, or 8 of 16.
  constexpr int kVecs = kRows == 1 ? 8 : (Vec::kRegisters / 2) / kRows;
  const bool prefetch = b.nextValues && first == 0;
  for (int column = 0; column < b.valueDepth;) {
    const int left = b.valueDepth - column;
    if (left > (kVecs - 1) * kLanes) {
      const int width = left < kVecs * kLanes ? left : kVecs * kLanes;
      weighColumns<kRows, kVecs>(b, first, p, factor, column, width, prefetch);
      column += kVecs * kLanes;
    } else {
      const int width = left < kLanes ? left : kLanes;
      weighColumns<kRows, 1>(b, first, p, factor, column, width, prefetch);
      column += kLanes;
    }
  }
}

// A hidden key (p = 0) adds nothing, whatever its value.
void weighRowCarefully(const DecodeBlock& b, int r, const float* p, const float* factor) {
  const int64_t pitch = padded(b.valueDepth);
  for (int c = 0; c < b.valueDepth; c += kLanes) {
    const int width = b.valueDepth - c < kLanes ? b.valueDepth - c : kLanes;
    Vec acc = Vec::load(b.acc + r * pitch + c) * Vec::set(factor[r]);
    for (int j = 0; j < b.keys; ++j)
      if (p[r * kDecodeKeys + j] != 0)
        acc = Vec::fma(Vec::set(p[r * kDecodeKeys + j]),
                       Vec::loadPartial(b.valueRows[j] + c, width), acc);
    acc.store(b.acc + r * pitch + c);
  }
}

void attendDecoding(const DecodeBlock& b) {
  alignas(64) float scores[kDecodeRows * kDecodeKeys];
  float factor[kDecodeRows];
  int r = 0;
  for (; r + 8 <= b.rows; r += 8) scoreRows<8>(b, r, scores);
  for (; r + 4 <= b.rows; r += 4) scoreRows<4>(b, r, scores);
  for (; r + 2 <= b.rows; r += 2) scoreRows<2>(b, r, scores);
  for (; r < b.rows; ++r) scoreRows<1>(b, r, scores);
  for (r = 0; r < b.rows; ++r) factor[r] = normaliseRow(b, r, scores + r * kDecodeKeys);
  r = 0;
  for (; b.careful && r < b.rows; ++r) weighRowCarefully(b, r, scores, factor);
  for (; r + 8 <= b.rows; r += 8) weighRows<8>(b, r, scores, factor);
  for (; r + 4 <= b.rows; r += 4) weighRows<4>(b, r, scores, factor);
  for (; r + 2 <= b.rows; r += 2) weighRows<2>(b, r, scores, factor);
  for (; r < b.rows; ++r) weighRows<1>(b, r, scores, factor);
}

void merge(float* shift, float* sums, float* acc, int parts, int64_t stride, int valueDepth) {
  float top = -kInfinity;
  for (int p = 0; p < parts; ++p) {
    float* sum = sums + p * stride;
    sum[0] = Vec::load(sum).sum();
    if (sum[0] != 0 && !(shift[p * stride] <= top)) top = shift[p * stride];
  }
  float total = 0;
  for (int p = 0; p < parts; ++p) {
    const float sum = sums[p * stride];
    const Vec w = sum == 0 ? Vec::zero() : exp2OrZero(Vec::set(shift[p * stride] - top));
    float weight[kLanes];
    w.store(weight);
    total += weight[0] * sum;
    const float* from = acc + p * stride;
    for (int c = 0; c < valueDepth; c += kLanes) {
      const Vec before = p == 0 ? Vec::zero() : Vec::load(acc + c);
      const Vec joined = sum == 0 ? before : Vec::fma(w, Vec::load(from + c), before);
      joined.store(acc + c);
    }
  }
  shift[0] = total == 0 ? 0 : top;
  sums[0] = total;
}

inline constexpr DecodeTile kDecodeTile{attendDecoding, merge};
