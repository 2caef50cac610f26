// From scores to weights: what is added to them, and their exponentials.
// What a problem adds to the plain scores of one vector of queries.
class Terms {
 public:
  Terms(const AttendBlock& b, int group) : t_(*b.terms), at_(group * kLanes) {
    if (t_.slopes) {
      slope_ = Vec::load(t_.slopes + at_);
      position_ = Vec::load(t_.positions + at_);
    }
    cap_ = Vec::set(t_.softcap);
    perCap_ = Vec::set(t_.softcap > 0 ? 1 / t_.softcap : 0);
  }
  // The final score of key j; -inf where the addend hides the key.
  Vec apply(Vec s, int j) const {
    if (t_.softcap > 0) s = cap_ * tanh(s * perCap_);
    if (t_.slopes) s = Vec::fnma(slope_, Vec::abs(position_ - Vec::set(float(j))), s);
    if (t_.addend) {
      const Vec hidden = Vec::set(-kInfinity);
      const Vec a = Vec::load(t_.addend + j * kPanel + at_);
      s = Vec::select(Vec::equal(a, hidden), hidden, s + a);
    }
    return s;
  }

 private:
  const ScoreTerms& t_;
  const int at_;
  Vec slope_ = Vec::zero(), position_ = Vec::zero(), cap_, perCap_;
};

// s <- the final score minus the shift.
void applyTerms(const AttendBlock& b, int group, int begin, int end) {
  const Terms terms(b, group);
  const Vec shift = Vec::load(b.shift + group * kLanes);
  for (int j = begin; j < end; ++j) {
    float* s = b.scores + j * kPanel + group * kLanes;
    (terms.apply(Vec::load(s), j) - shift).store(s);
  }
}

// What a weight may say of its key. Where values may be NaN, zero must mean hidden and nothing else:
// kCareful for keys that are seen, kHiding where some of them are hidden (-inf).
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
[[gnu::always_inline]] inline Vec sumOf(const Vec* p, int step) {
  Vec even = p[0], odd = p[step];
#pragma GCC unroll 16
  for (int r = 2; r < kTileRows<kSpan>; r += 2) {
    even = even + p[r * step];
    odd = odd + p[(r + 1) * step];
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
    sum = sum + sumOf(p, 1);
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
