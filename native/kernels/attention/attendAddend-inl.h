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

// Those of a panel to a whole block: strips of queries one after the other, tiles of keys within.
constexpr int kAddendTiles = (kBlockKeys + kAddendKeys - 1) / kAddendKeys;
constexpr int64_t kAddendBytes =
    int64_t{kAddendTiles} * (kPanel / (kSpan * kLanes)) * static_cast<int64_t>(sizeof(AddendTile));

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
  if constexpr (kWhole && kBias && !kMask) {
    Vec::loadColumns(a.bias + i, j, t);
  } else {
#pragma GCC unroll 16
    for (int u = 0; u < kLanes; ++u) {
      t[u] = kBias ? biasOf<kWhole>(a, i + u, j, width) : Vec::zero();
      if (kMask) t[u] = Vec::select(maskOf<kWhole>(a, i + u, j, width), t[u], Vec::set(-kInfinity));
    }
    Vec::transpose(t);
  }
#pragma GCC unroll 16
  for (int x = 0; x < kLanes; ++x) {
    low = Vec::min(t[x], low);
    t[x].store(to + x * kSpan * kLanes);
  }
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

// The addends of the vectors [first, first + count) of a strip to the block's keys from `begin` on.
inline void fill(AddendTile& tile, const AttendBlock& b, int group, int first, int count,
                 int begin) {
  const AttendAddend& a = *b.addend;
  const int end = fewer(begin + kAddendKeys, b.keys), query = (group + first) * kLanes;
  const bool near = (!a.hasBias || a.biasStride == 1) && (!a.hasMask || a.maskStride == 1);
  tile.hides = false;
  if (a.hasMask) {
    Mask any = Mask::firstLanes(0), every = Mask::firstLanes(kLanes);
    for (int j = begin; j < end; j += kLanes) {
      const int width = fewer(end - j, kLanes),
                last = a.shared ? query + 1 : query + count * kLanes;
      if (near && width == kLanes)
        lookThrough<true>(a, query, last, j, width, any, every);
      else
        lookThrough<false>(a, query, last, j, width, any, every);
    }
    tile.kind = any.any() ? AddendTile::kNothing : AddendTile::kAllHidden;
    if (!any.any() || (every.all() && !a.hasBias)) return;
  }
  tile.kind = AddendTile::kValues;
  Vec low = Vec::zero();
  for (int j = begin; j < end; j += kLanes) {
    const int width = fewer(end - j, kLanes);
    float* to = tile.values[j - begin] + first * kLanes;
    if (near && width == kLanes)
      bringInSome<true>(a, query, count, j, width, to, low);
    else
      bringInSome<false>(a, query, count, j, width, to, low);
  }
  tile.hides = Vec::equal(low, Vec::set(-kInfinity)).any();
}

// The same at the keys that begin at `begin`, a multiple of kAddendKeys: in `own`, or, where panels
// share them, for the whole strip and kept.
inline const AddendTile& addendOf(AddendTile& own, const AttendBlock& b, int group, int first,
                                  int count, int begin) {
  if (!b.addend->lanes) {
    fill(own, b, group, first, count, begin);
    return own;
  }
  auto* tiles = reinterpret_cast<AddendTile*>(b.addend->lanes);
  AddendTile& tile = tiles[group / kSpan * kAddendTiles + begin / kAddendKeys];
  if (!b.addend->brought) fill(tile, b, group, 0, kSpan, begin);
  return tile;
}
