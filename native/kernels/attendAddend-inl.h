// What is added to scores, brought into the lanes: a bias and a mask have one row a query, scores
// one row a key. They are transposed a few keys at a time, just before the scores begin with them.

// Keys that are transposed at once: whole squares of lanes, and whole register tiles.
constexpr int kAddendKeys = kLanes > kTileRows<kSpan> ? kLanes : kTileRows<kSpan>;
static_assert(kAddendKeys % kLanes == 0 && kAddendKeys % kTileRows<kSpan> == 0);

// The addends of kAddendKeys keys to a strip of queries.
struct AddendTile {
  enum { kNothing, kValues, kAllHidden } kind = kNothing;
  bool hides = false;  // some of the values are -inf
  alignas(64) float values[kAddendKeys][kSpan * kLanes];
};

// Elements [j, j + width) of a query's bias, 0 behind; and which of those keys its mask lets it
// see, all behind. Most rows are whole, of neighbouring elements, which kWhole says.
template <bool kWhole>
inline Vec biasOf(const AttendAddend& a, int i, int j, int width) {
  const float* row = a.bias[i] + j * a.biasStride;
  if (kWhole) return Vec::load(row);
  float gathered[kLanes] = {};
  for (int x = 0; x < width; ++x) gathered[x] = row[x * a.biasStride];
  return Vec::load(gathered);
}

template <bool kWhole>
inline Mask maskOf(const AttendAddend& a, int i, int j, int width) {
  const uint8_t* row = a.mask[i] + j * a.maskStride;
  if (kWhole) return Mask::ofBytes(row);
  uint8_t gathered[kLanes];
  for (int x = 0; x < kLanes; ++x) gathered[x] = x >= width || row[x * a.maskStride] != 0;
  return Mask::ofBytes(gathered);
}

// What the mask says of keys [j, j + width) to all queries [first, last).
template <bool kWhole>
inline void lookThrough(const AttendAddend& a, int first, int last, int j, int width, Mask& any,
                        Mask& every) {
#pragma GCC unroll 8
  for (int i = first; i < last; ++i) {
    const Mask seen = maskOf<kWhole>(a, i, j, width);
    any = any | seen;
    every = every & seen;
  }
}

// The addends of a square: t[x] lane u that of key j + x to query i + u. Lowers `low` to the least.
template <bool kWhole, bool kBias, bool kMask>
inline void bringIn(const AttendAddend& a, int i, int j, int width, float* to, Vec& low) {
  Vec t[kLanes];
#pragma GCC unroll 16
  for (int u = 0; u < kLanes; ++u) {
    t[u] = kBias ? biasOf<kWhole>(a, i + u, j, width) : Vec::zero();
    if (kMask) t[u] = Vec::select(maskOf<kWhole>(a, i + u, j, width), t[u], Vec::set(-kInfinity));
    low = Vec::min(t[u], low);
  }
  Vec::transpose(t);
#pragma GCC unroll 16
  for (int x = 0; x < kLanes; ++x) t[x].store(to + x * kSpan * kLanes);
}

template <bool kWhole, bool kBias, bool kMask>
void bringInAll(const AttendAddend& a, int first, int count, int j, int width, float* to,
                Vec& low) {
  for (int c = 0; c < count; ++c)
    bringIn<kWhole, kBias, kMask>(a, first + c * kLanes, j, width, to + c * kLanes, low);
}

template <bool kWhole>
inline void bringInSome(const AttendAddend& a, int first, int count, int j, int width, float* to,
                        Vec& low) {
  if (a.hasBias && a.hasMask)
    bringInAll<kWhole, true, true>(a, first, count, j, width, to, low);
  else if (a.hasBias)
    bringInAll<kWhole, true, false>(a, first, count, j, width, to, low);
  else
    bringInAll<kWhole, false, true>(a, first, count, j, width, to, low);
}

// The addends of `count` vectors of queries to the block's keys from `begin` on.
inline void fill(AddendTile& tile, const AttendBlock& b, int group, int count, int begin) {
  const AttendAddend& a = *b.addend;
  const int end = fewer(begin + kAddendKeys, b.keys), first = group * kLanes;
  const bool near = (!a.hasBias || a.biasStride == 1) && (!a.hasMask || a.maskStride == 1);
  tile.hides = false;
  if (a.hasMask) {
    Mask any = Mask::firstLanes(0), every = Mask::firstLanes(kLanes);
    for (int j = begin; j < end; j += kLanes) {
      const int width = fewer(end - j, kLanes),
                last = a.shared ? first + 1 : first + count * kLanes;
      if (near && width == kLanes)
        lookThrough<true>(a, first, last, j, width, any, every);
      else
        lookThrough<false>(a, first, last, j, width, any, every);
    }
    tile.kind = any.any() ? AddendTile::kNothing : AddendTile::kAllHidden;
    if (!any.any() || (every.all() && !a.hasBias)) return;
  }
  tile.kind = AddendTile::kValues;
  Vec low = Vec::zero();
  for (int j = begin; j < end; j += kLanes) {
    const int width = fewer(end - j, kLanes);
    if (near && width == kLanes)
      bringInSome<true>(a, first, count, j, width, tile.values[j - begin], low);
    else
      bringInSome<false>(a, first, count, j, width, tile.values[j - begin], low);
  }
  tile.hides = Vec::equal(low, Vec::set(-kInfinity)).any();
}
