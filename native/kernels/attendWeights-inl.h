// From scores to weights: what is added to them, and their exponentials.
// s <- the final score minus the shift, for keys [begin, end); -inf where the addend hides the key.
void applyTerms(const AttendBlock& b, int group, int begin, int end) {
  const ScoreTerms& t = *b.terms;
  const int at = group * kLanes;
  const Vec shift = Vec::load(b.shift + at);
  const Vec slope = t.slopes ? Vec::load(t.slopes + at) : Vec::zero();
  const Vec position = t.slopes ? Vec::load(t.positions + at) : Vec::zero();
  const Vec cap = Vec::set(t.softcap), perCap = Vec::set(t.softcap > 0 ? 1 / t.softcap : 0);
  const Vec hidden = Vec::set(-kInfinity);
  for (int j = begin; j < end; ++j) {
    float* p = b.scores + j * kPanel + at;
    Vec s = Vec::load(p);
    if (t.softcap > 0) s = cap * tanh(s * perCap);
    if (t.slopes) s = Vec::fnma(slope, Vec::abs(position - Vec::set(float(j))), s);
    if (t.addend) {
      const Vec a = Vec::load(t.addend + j * kPanel + at);
      s = Vec::select(Vec::equal(a, hidden), hidden, (s + a) - shift);
    } else {
      s = s - shift;
    }
    s.store(p);
  }
}

// What a weight may say of its key. Where values may be NaN, zero must mean hidden and nothing
// else: kCareful for keys that are seen, kHiding where some of them are hidden (-inf).
enum class Care { kNone, kCareful, kHiding };

template <Care kCare>
inline Vec weightOf(Vec s) {
  const Vec p = exp2OrZero(s);
  if constexpr (kCare == Care::kNone) return p;
  const Vec seen = Vec::max(Vec::set(std::numeric_limits<float>::min()), p);
  if constexpr (kCare == Care::kCareful) return seen;
  return Vec::select(Vec::equal(s, Vec::set(-kInfinity)), Vec::zero(), seen);
}

// p = exp2(s) for keys [begin, end) some of which are hidden (-inf); returns sum + their sum.
inline Vec exponentiateSome(const AttendBlock& b, int group, int begin, int end, Vec sum) {
  for (int j = begin; j < end; ++j) {
    float* score = b.scores + j * kPanel + group * kLanes;
    const Vec s = Vec::load(score);
    const Vec p = b.careful ? weightOf<Care::kHiding>(s) : weightOf<Care::kNone>(s);
    p.store(score);
    sum = sum + p;
  }
  return sum;
}

// The sum of kTileRows weights: the order in which every block that is seen whole adds them up.
[[gnu::always_inline]] inline Vec sumOf(const Vec* p) {
  Vec even = p[0], odd = p[1];
#pragma GCC unroll 16
  for (int r = 2; r < kTileRows<kSpan>; r += 2) {
    even = even + p[r];
    odd = odd + p[r + 1];
  }
  return even + odd;
}

// The same for keys that are in sight of every query, as many at a time as a register tile has.
template <Care kCare>
inline Vec exponentiateAll(const AttendBlock& b, int group, int begin, int end, Vec sum) {
  constexpr int kRows = kTileRows<kSpan>;
  float* s = b.scores + begin * kPanel + group * kLanes;
  int j = begin;
  for (; j + kRows <= end; j += kRows, s += kRows * kPanel) {
    Vec p[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) p[r] = weightOf<kCare>(Vec::load(s + r * kPanel));
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) p[r].store(s + r * kPanel);
    sum = sum + sumOf(p);
  }
  for (; j < end; ++j, s += kPanel) {
    const Vec p = weightOf<kCare>(Vec::load(s));
    p.store(s);
    sum = sum + p;
  }
  return sum;
}

inline Vec exponentiateSeen(const AttendBlock& b, int group, int begin, int end, Vec sum) {
  if (!b.careful) return exponentiateAll<Care::kNone>(b, group, begin, end, sum);
  if (b.terms) return exponentiateAll<Care::kHiding>(b, group, begin, end, sum);
  return exponentiateAll<Care::kCareful>(b, group, begin, end, sum);
}

// The shift that queries begin with where they see all of a block: the largest score of its first
// kTileRows keys, 0 where that is not a number.
[[gnu::always_inline]] inline Vec firstShift(const Vec* scores) {
  Vec m = scores[0];
#pragma GCC unroll 16
  for (int r = 1; r < kTileRows<kSpan>; ++r) m = Vec::max(m, scores[r]);
  return Vec::select(Vec::less(Vec::set(-kInfinity), m), m, Vec::zero());
}
