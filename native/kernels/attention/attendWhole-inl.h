// The same as weightStrip for what most blocks come to: every key is in sight of every query,
// nothing is added to the scores, and no shift has to move. Nothing is looked after in the loop.
//
// Queries that see their first keys (kFirst, which finds their shift, kFresh) have it subtracted
// afterwards; the others begin at -shift. sums[c] += the weights of vector c, top[c] becomes its
// largest score.
enum class Keys { kFirst, kFresh, kMore };

template <int kVecs, Keys kKeys>
inline void wholeTile(const AttendBlock& b, int group, int j, const Vec* start, Vec* shift,
                      Vec* sums, Vec* top) {
  constexpr int kRows = kTileRows<kSpan>;
  Vec acc[kRows][kVecs];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kVecs; ++c) acc[r][c] = start[c];
  }
  multiplyTile(b.panel + group * kLanes, b.keyRows + j, b.depth, acc);
#pragma GCC unroll 4
  for (int c = 0; c < kVecs; ++c) {
    float* weights = b.scores + j * kPanel + (group + c) * kLanes;
    Vec s[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) s[r] = acc[r][c];
    if constexpr (kKeys == Keys::kFirst) shift[c] = lateShift(shift[c], s, Vec::zero());
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      if constexpr (kKeys != Keys::kMore) s[r] = s[r] - shift[c];
      top[c] = Vec::max(top[c], s[r]);
      s[r] = exp2OrZero(s[r]);
      s[r].store(weights + r * kPanel);
    }
    sums[c] = sums[c] + sumOf(s);
  }
}

// Returns false where a shift has to move, or is not found in the first tile; nothing but scratch
// is touched then.
template <int kVecs>
bool wholeStrip(const AttendBlock& b, int group, Ahead& ahead) {
  constexpr int kRows = kTileRows<kSpan>;
  Vec start[kVecs], shift[kVecs], sums[kVecs], top[kVecs];
  for (int c = 0; c < kVecs; ++c) {
    const int at = (group + c) * kLanes;
    shift[c] = Vec::set(-kInfinity);
    if (!b.fresh && Vec::equal(Vec::load(b.sums + at), Vec::zero()).any()) return false;
    start[c] = Vec::negate(Vec::load(b.shift + at));
    sums[c] = Vec::zero();
    top[c] = Vec::set(-kInfinity);
  }
  int j = 0;
  if (b.fresh) wholeTile<kVecs, Keys::kFirst>(b, group, j, start, shift, sums, top);
  if (b.fresh) j = kRows;
  for (int c = 0; c < kVecs; ++c)
    if (b.fresh && Vec::equal(shift[c], Vec::set(-kInfinity)).any()) return false;
  for (; j + kRows <= b.keys; j += kRows) {
    ahead.ask();
    if (b.fresh)
      wholeTile<kVecs, Keys::kFresh>(b, group, j, start, shift, sums, top);
    else
      wholeTile<kVecs, Keys::kMore>(b, group, j, start, shift, sums, top);
  }
  scoreRest<kRows - 1, kVecs>(b, group, j, b.keys - j, start);
  for (int c = 0; c < kVecs; ++c) {
    for (int i = j; i < b.keys; ++i) {
      float* score = b.scores + i * kPanel + (group + c) * kLanes;
      Vec s = Vec::load(score);
      if (b.fresh) s = s - shift[c];
      s.store(score);
      top[c] = Vec::max(top[c], s);
    }
    if (Vec::less(Vec::set(kSlack), top[c]).any()) return false;
    sums[c] = exponentiateAll<Care::kNone>(b, group + c, j, b.keys, sums[c]);
  }
  for (int c = 0; c < kVecs; ++c) {
    float* to = b.sums + (group + c) * kLanes;
    (Vec::load(to) + sums[c]).store(to);
    if (b.fresh) shift[c].store(b.shift + (group + c) * kLanes);
  }
  return true;
}

template <int kVecs>
bool attendWhole(const AttendBlock& b, int group, Ahead& ahead) {
  if (b.begin || b.terms || b.addend || b.careful || b.keys < kTileRows<kSpan>) return false;
  if (!wholeStrip<kVecs>(b, group, ahead)) return false;
  if (b.fresh)
    weighRun<kVecs, Join::kStart>(b, group, 0, b.keys, nullptr, ahead);
  else
    weighRun<kVecs, Join::kAdd>(b, group, 0, b.keys, nullptr, ahead);
  return true;
}
