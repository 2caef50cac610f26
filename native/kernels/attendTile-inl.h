constexpr int kLanes = Vec::kLanes;
constexpr int kSpan = 3;  // vectors of queries that a register tile spans
constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Exponents may exceed the shift by this much before everything is rescaled: p stays below 2^8, and
// most blocks after the first leave the shift alone.
constexpr float kSlack = 8.0f;

// Rows of the register tile. With 32 registers 8 x 3 accumulators, 3 panel vectors and a broadcast
// fill 28; narrower tiles are taller, because fewer than 8 chains cannot hide an FMA's latency.
template <int kVecs>
constexpr int kTileRows = Vec::kRegisters == 32 ? (kVecs == 3 ? 8 : 12)
                                                : (kVecs == 3   ? 4
                                                   : kVecs == 2 ? 6
                                                                : 8);

// Columns of values of the tile that weighs them: one list of rows serves them all, and head sizes
// are mostly multiples of 16.
template <int kVecs>
constexpr int kTileColumns = Vec::kRegisters == 32 ? (kVecs == 1 ? 16 : 8) : kTileRows<kVecs>;

// The shift that queries begin with where they see all of a block: the largest score of its first
// keys, of which there is a vector every `step`; 0 where that is not a number.
[[gnu::always_inline]] inline Vec firstShift(const Vec* scores, int step) {
  Vec m = scores[0];
#pragma GCC unroll 16
  for (int r = 1; r < kTileRows<kSpan>; ++r) m = Vec::max(m, scores[r * step]);
  return Vec::select(Vec::less(Vec::set(-kInfinity), m), m, Vec::zero());
}

// scores[j][i] = start[i] + sum_k rows[j][k] panel[k][i] for kRows keys and kVecs vectors of
// queries, left in registers.
template <int kRows, int kVecs>
[[gnu::always_inline]] inline void multiplyTile(const float* panel, const float* const* rows,
                                                int depth, const Vec* start,
                                                Vec (&acc)[kRows][kVecs]) {
  const float* row[kRows];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    row[r] = rows[r];
#pragma GCC unroll 4
    for (int c = 0; c < kVecs; ++c) acc[r][c] = start[c];
  }
#pragma GCC unroll 4
  for (int64_t k = 0; k < depth; ++k) {
    Vec q[kVecs];
#pragma GCC unroll 4
    for (int c = 0; c < kVecs; ++c) q[c] = Vec::load(panel + k * kPanel + c * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vec x = Vec::set(row[r][k]);
#pragma GCC unroll 4
      for (int c = 0; c < kVecs; ++c) acc[r][c] = Vec::fma(x, q[c], acc[r][c]);
    }
  }
}

template <int kRows, int kVecs>
inline void scoreTile(const float* panel, const float* const* rows, int depth, const Vec* start,
                      float* scores) {
  Vec acc[kRows][kVecs];
  multiplyTile(panel, rows, depth, start, acc);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kVecs; ++c) acc[r][c].store(scores + r * kPanel + c * kLanes);
  }
}

// The same as weights, exp2(score), where no score is above the slack: the scores need not go
// through memory. For queries that see their first key, kFresh, the shift is subtracted afterwards,
// as it is where scores do go through memory; kFirst finds it. sums[c] += the weights of vector c,
// top[c] becomes the largest score.
enum class Keys { kFirst, kFresh, kMore };

template <int kRows, int kVecs, Keys kKeys>
inline void weightTile(const float* panel, const float* const* rows, int depth, const Vec* start,
                       float* weights, Vec* shift, Vec* sums, Vec* top) {
  Vec acc[kRows][kVecs];
  multiplyTile(panel, rows, depth, start, acc);
#pragma GCC unroll 4
  for (int c = 0; c < kVecs; ++c) {
    if constexpr (kKeys == Keys::kFirst) shift[c] = firstShift(&acc[0][c], kVecs);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      if constexpr (kKeys != Keys::kMore) acc[r][c] = acc[r][c] - shift[c];
      top[c] = Vec::max(top[c], acc[r][c]);
      acc[r][c] = exp2OrZero(acc[r][c]);
      acc[r][c].store(weights + r * kPanel + c * kLanes);
    }
    Vec even = acc[0][c], odd = acc[1][c];
#pragma GCC unroll 16
    for (int r = 2; r < kRows; r += 2) {
      even = even + acc[r][c];
      odd = odd + acc[r + 1][c];
    }
    sums[c] = sums[c] + (even + odd);
  }
}

// Memory to ask for, a few rows with every register tile: all at once they would hold up the loads
// that the products wait for. (A line within the loops, every two keys, cost them a tenth.)
struct Ahead {
  const float* const* next;
  const float* const* end;
  int each, floats;
  void ask() {
    constexpr int kLine = 64 / sizeof(float);
    const float* const* stop = end - next < each ? end : next + each;
    for (; next < stop; ++next)
      for (int k = 0; k < floats; k += kLine) __builtin_prefetch(*next + k, 0, 2);
  }
};

// What becomes of the sums so far when a block's are added.
enum class Join { kStart, kAdd, kRescale };

// acc[c][i] = factor[i] acc[c][i] + sum_j rows[j][column + c] p[j][i] for kRows columns c. The
// factor is applied on the way in, when there is one: rescaling costs no pass of its own.
template <int kRows, int kVecs, Join kJoin>
inline void weighTile(const float* p, const float* const* rows, int column, int keys,
                      const Vec* factor, float* out) {
  Vec acc[kRows][kVecs];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kVecs; ++c) acc[r][c] = Vec::zero();
  }
#pragma GCC unroll 4
  for (int64_t j = 0; j < keys; ++j) {
    const float* value = rows[j] + column;
    Vec w[kVecs];
#pragma GCC unroll 4
    for (int c = 0; c < kVecs; ++c) w[c] = Vec::load(p + j * kPanel + c * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vec x = Vec::set(value[r]);
#pragma GCC unroll 4
      for (int c = 0; c < kVecs; ++c) acc[r][c] = Vec::fma(x, w[c], acc[r][c]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kVecs; ++c) {
      float* to = out + r * kPanel + c * kLanes;
      Vec sum = acc[r][c];
      if constexpr (kJoin == Join::kAdd) sum = Vec::load(to) + sum;
      if constexpr (kJoin == Join::kRescale) sum = Vec::fma(Vec::load(to), factor[c], sum);
      sum.store(to);
    }
  }
}

// Consecutive keys [begin, end) that the same vectors of a strip look at: the bits of `members`,
// all of them within [first, first + count).
struct Run {
  int begin, end, first, count, members;
};

// What is left of a run's keys, fewer than a register tile.
template <int kRows, int kVecs>
inline void scoreRest(const AttendBlock& b, int group, int begin, int rest, const Vec* start) {
  if constexpr (kRows > 0) {
    if (rest == kRows)
      scoreTile<kRows, kVecs>(b.panel + group * kLanes, b.keyRows + begin, b.depth, start,
                              b.scores + begin * kPanel + group * kLanes);
    else
      scoreRest<kRows - 1, kVecs>(b, group, begin, rest, start);
  }
}

template <int kVecs>
void scoreRun(const AttendBlock& b, int group, int begin, int end, Ahead& ahead) {
  constexpr int kRows = kTileRows<kVecs>;
  Vec start[kVecs];
  // Terms apply to the plain score; without them the shift is subtracted for free, as the start.
  for (int c = 0; c < kVecs; ++c)
    start[c] = b.terms ? Vec::zero() : Vec::negate(Vec::load(b.shift + (group + c) * kLanes));
  const float* panel = b.panel + group * kLanes;
  float* scores = b.scores + group * kLanes;
  int j = begin;
  for (; j + kRows <= end; j += kRows) {
    ahead.ask();
    scoreTile<kRows, kVecs>(panel, b.keyRows + j, b.depth, start, scores + j * kPanel);
  }
  scoreRest<kRows - 1, kVecs>(b, group, j, end - j, start);
}

template <int kVecs, Join kJoin>
void weighRun(const AttendBlock& b, int group, int begin, int end, const float* factors,
              Ahead& ahead) {
  constexpr int kRows = kTileColumns<kVecs>;
  Vec factor[kVecs];
  for (int c = 0; c < kVecs && kJoin == Join::kRescale; ++c)
    factor[c] = Vec::load(factors + (group + c) * kLanes);
  const float* p = b.scores + begin * kPanel + group * kLanes;
  float* out = b.acc + group * kLanes;
  const float* const* rows = b.valueRows + begin;
  const int keys = end - begin;
  int c = 0;
  for (; c + kRows <= b.valueDepth; c += kRows) {
    ahead.ask();
    weighTile<kRows, kVecs, kJoin>(p, rows, c, keys, factor, out + c * kPanel);
  }
  for (; c + 4 <= b.valueDepth; c += 4)
    weighTile<4, kVecs, kJoin>(p, rows, c, keys, factor, out + c * kPanel);
  for (; c < b.valueDepth; ++c)
    weighTile<1, kVecs, kJoin>(p, rows, c, keys, factor, out + c * kPanel);
}

// The same sums where a value may be NaN or infinite: a hidden key (p = 0) adds nothing at all.
void weighCarefully(const AttendBlock& b, int group, int begin, int end, const float* factors) {
  for (int c = 0; c < b.valueDepth; ++c) {
    float* out = b.acc + c * kPanel + group * kLanes;
    Vec acc = Vec::zero();
    for (int j = begin; j < end; ++j) {
      const Vec p = Vec::load(b.scores + j * kPanel + group * kLanes);
      const Vec sum = Vec::fma(Vec::set(b.valueRows[j][c]), p, acc);
      acc = Vec::select(Vec::equal(p, Vec::zero()), acc, sum);
    }
    const Vec before = Vec::load(out);
    (factors ? Vec::fma(before, Vec::load(factors + group * kLanes), acc) : before + acc)
        .store(out);
  }
}

void scoreStrip(const AttendBlock& b, int group, const Run& run, Ahead& ahead) {
  group += run.first;
  if (run.count == 3) scoreRun<3>(b, group, run.begin, run.end, ahead);
  if (run.count == 2) scoreRun<2>(b, group, run.begin, run.end, ahead);
  if (run.count == 1) scoreRun<1>(b, group, run.begin, run.end, ahead);
}

template <Join kJoin>
void weighStrip(const AttendBlock& b, int group, const Run& run, const float* factors,
                Ahead& ahead) {
  group += run.first;
  if (b.careful) {
    for (int c = 0; c < run.count; ++c)
      weighCarefully(b, group + c, run.begin, run.end, kJoin == Join::kRescale ? factors : nullptr);
    return;
  }
  if (run.count == 3) weighRun<3, kJoin>(b, group, run.begin, run.end, factors, ahead);
  if (run.count == 2) weighRun<2, kJoin>(b, group, run.begin, run.end, factors, ahead);
  if (run.count == 1) weighRun<1, kJoin>(b, group, run.begin, run.end, factors, ahead);
}

// Keys of one vector of queries: [begin, end) is what any of them sees, [fullBegin, fullEnd) what
// all of them see.
struct Sight {
  int begin, end, fullBegin, fullEnd;
};

inline Sight sightOf(const AttendBlock& b, int group) {
  if (!b.begin) return {0, b.keys, 0, b.keys};
  const float* begin = b.begin + group * kLanes;
  const float* end = b.end + group * kLanes;
  Sight s{b.keys, 0, 0, b.keys};
  for (int i = 0; i < kLanes; ++i) {
    const int first = int(begin[i]), last = int(end[i]);
    s.fullBegin = first > s.fullBegin ? first : s.fullBegin;
    s.fullEnd = last < s.fullEnd ? last : s.fullEnd;
    if (first >= last) continue;
    s.begin = first < s.begin ? first : s.begin;
    s.end = last > s.end ? last : s.end;
  }
  if (s.end <= s.begin) return {0, 0, 0, 0};
  if (s.fullEnd <= s.fullBegin) s.fullBegin = s.fullEnd = s.begin;
  return s;
}

// Splits the keys of a strip so that vectors which see none of a run are left out of it.
inline int runsOf(const Sight* sights, int count, Run* runs) {
  int cuts[2 * kSpan], n = 0;
  for (int c = 0; c < count; ++c) {
    cuts[n++] = sights[c].begin;
    cuts[n++] = sights[c].end;
  }
  for (int i = 1; i < n; ++i) {
    const int cut = cuts[i];
    int at = i;
    for (; at > 0 && cuts[at - 1] > cut; --at) cuts[at] = cuts[at - 1];
    cuts[at] = cut;
  }
  int made = 0;
  for (int i = 0; i + 1 < n; ++i) {
    if (cuts[i] == cuts[i + 1]) continue;
    int first = count, last = -1, members = 0;
    for (int c = 0; c < count; ++c) {
      if (sights[c].begin > cuts[i] || sights[c].end < cuts[i + 1]) continue;
      first = c < first ? c : first;
      last = c;
      members |= 1 << c;
    }
    if (!members) continue;
    if (made && runs[made - 1].end == cuts[i] && runs[made - 1].members == members)
      runs[made - 1].end = cuts[i + 1];
    else
      runs[made++] = {cuts[i], cuts[i + 1], first, last - first + 1, members};
  }
  return made;
}

// s <- the final score minus the shift; -inf where the addend hides the key.
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

// Writes -inf over the scores of keys [begin, end) that a query does not see; returns their
// maximum.
inline Vec hideUnseen(const AttendBlock& b, int group, int begin, int end, Vec maximum) {
  if (begin == end) return maximum;  // there may be no bounds to load
  const int at = group * kLanes;
  const Vec first = Vec::load(b.begin + at), last = Vec::load(b.end + at);
  for (int j = begin; j < end; ++j) {
    float* score = b.scores + j * kPanel + at;
    const Vec key = Vec::set(float(j));
    const Mask seen = Vec::lessEqual(first, key) & Vec::less(key, last);
    const Vec s = Vec::select(seen, Vec::load(score), Vec::set(-kInfinity));
    s.store(score);
    maximum = Vec::max(maximum, s);
  }
  return maximum;
}

// The weight of a visible key. Where values may be NaN, zero must mean hidden and nothing else.
template <bool kCareful>
inline Vec weightOf(Vec s) {
  const Vec p = exp2OrZero(s);
  return kCareful ? Vec::max(Vec::set(std::numeric_limits<float>::min()), p) : p;
}

// p = exp2(s) for keys [begin, end) some of which are hidden (-inf); returns sum + their sum.
inline Vec exponentiateSome(const AttendBlock& b, int group, int begin, int end, Vec sum) {
  for (int j = begin; j < end; ++j) {
    float* score = b.scores + j * kPanel + group * kLanes;
    const Vec s = Vec::load(score);
    Vec p = exp2OrZero(s);
    if (b.careful)
      p = Vec::select(Vec::equal(s, Vec::set(-kInfinity)), Vec::zero(), weightOf<true>(s));
    p.store(score);
    sum = sum + p;
  }
  return sum;
}

// The same where every key is seen: as many at a time as a register tile has, in the order of
// weightTile.
template <bool kCareful>
inline Vec exponentiateAll(const AttendBlock& b, int group, int begin, int end, Vec sum) {
  constexpr int kRows = kTileRows<kSpan>;
  float* s = b.scores + begin * kPanel + group * kLanes;
  int j = begin;
  for (; j + kRows <= end; j += kRows, s += kRows * kPanel) {
    Vec p[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) p[r] = weightOf<kCareful>(Vec::load(s + r * kPanel));
    Vec even = p[0], odd = p[1];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) p[r].store(s + r * kPanel);
#pragma GCC unroll 16
    for (int r = 2; r < kRows; r += 2) {
      even = even + p[r];
      odd = odd + p[r + 1];
    }
    sum = sum + (even + odd);
  }
  for (; j < end; ++j, s += kPanel) {
    const Vec p = weightOf<kCareful>(Vec::load(s));
    p.store(s);
    sum = sum + p;
  }
  return sum;
}

// Scores become probabilities relative to the shift, which moves where a score exceeds it by more
// than the slack or where a query sees its first key. Returns whether any shift moved; `factor` is
// then what the sums so far were multiplied by.
bool normalise(const AttendBlock& b, int group, const Sight& sight, float* factor) {
  const int at = group * kLanes;
  const float* scores = b.scores + at;
  const Vec hidden = Vec::set(-kInfinity);
  Vec m = hideUnseen(b, group, sight.begin, b.begin ? sight.fullBegin : sight.begin, hidden);
  Vec m1 = hidden;
  int j = sight.fullBegin;
  for (; j + 2 <= sight.fullEnd; j += 2) {
    m = Vec::max(m, Vec::load(scores + j * kPanel));
    m1 = Vec::max(m1, Vec::load(scores + (j + 1) * kPanel));
  }
  for (; j < sight.fullEnd; ++j) m = Vec::max(m, Vec::load(scores + j * kPanel));
  if (sight.fullEnd < sight.end) m = hideUnseen(b, group, sight.fullEnd, sight.end, m);
  m = Vec::max(m, m1);

  Vec sum = Vec::load(b.sums + at);
  if (b.fresh && !b.terms && b.keys >= kTileRows<kSpan>) {
    // As weightStrip has it: whether a neighbour sent the block here shows in no bit.
    Vec first[kTileRows<kSpan>];
    for (int r = 0; r < kTileRows<kSpan>; ++r) first[r] = Vec::load(scores + r * kPanel);
    const Vec shift = firstShift(first, 1);
    m = Vec::select(Vec::less(Vec::set(kSlack), m - shift), m, shift);
  }
  const Mask fresh = Vec::equal(sum, Vec::zero()) & Vec::less(hidden, m);
  const Mask rising = Vec::less(Vec::set(kSlack), m) | fresh;
  const bool moved = rising.any();
  if (moved) {
    const Vec rise = Vec::select(rising, m, Vec::zero());
    (Vec::load(b.shift + at) + rise).store(b.shift + at);
    const Vec f = Vec::select(fresh, Vec::set(1.0f), exp2OrZero(Vec::negate(rise)));
    f.store(factor + at);
    sum = sum * f;
    for (j = sight.begin; j < sight.end; ++j) {
      float* score = b.scores + j * kPanel + at;
      (Vec::load(score) - rise).store(score);
    }
  }
  // The order of a sum follows from what is seen, never from what the values hold.
  Vec here = Vec::zero();
  if (b.terms) {
    here = exponentiateSome(b, group, sight.begin, sight.end, here);
  } else {
    here = exponentiateSome(b, group, sight.begin, sight.fullBegin, here);
    here = b.careful ? exponentiateAll<true>(b, group, sight.fullBegin, sight.fullEnd, here)
                     : exponentiateAll<false>(b, group, sight.fullBegin, sight.fullEnd, here);
    here = exponentiateSome(b, group, sight.fullEnd, sight.end, here);
  }
  (sum + here).store(b.sums + at);
  return moved;
}

// Scores and weights of a strip in one go, which is what most blocks come to: every query sees
// every key, nothing is added to the scores, and no shift has to move. Returns false where one has;
// the block then starts over, with nothing but its scratch touched.
template <int kVecs>
bool weightStrip(const AttendBlock& b, int group, Ahead& ahead) {
  constexpr int kRows = kTileRows<kSpan>;
  if (b.begin || b.terms || b.keys < kRows) return false;
  Vec start[kVecs], shift[kVecs], sums[kVecs], top[kVecs];
  for (int c = 0; c < kVecs; ++c) {
    const int at = (group + c) * kLanes;
    if (!b.fresh && Vec::equal(Vec::load(b.sums + at), Vec::zero()).any()) return false;
    start[c] = Vec::negate(Vec::load(b.shift + at));
    sums[c] = Vec::zero();
    top[c] = Vec::set(-kInfinity);
  }
  const float* panel = b.panel + group * kLanes;
  float* weights = b.scores + group * kLanes;
  int j = 0;
  if (b.fresh) {
    weightTile<kRows, kVecs, Keys::kFirst>(panel, b.keyRows, b.depth, start, weights, shift, sums,
                                           top);
    for (j = kRows; j + kRows <= b.keys; j += kRows) {
      ahead.ask();
      weightTile<kRows, kVecs, Keys::kFresh>(panel, b.keyRows + j, b.depth, start,
                                             weights + j * kPanel, shift, sums, top);
    }
  } else {
    for (; j + kRows <= b.keys; j += kRows) {
      ahead.ask();
      weightTile<kRows, kVecs, Keys::kMore>(panel, b.keyRows + j, b.depth, start,
                                            weights + j * kPanel, shift, sums, top);
    }
  }
  scoreRest<kRows - 1, kVecs>(b, group, j, b.keys - j, start);
  for (int c = 0; c < kVecs; ++c) {
    for (int i = j; i < b.keys; ++i) {
      float* score = weights + i * kPanel + c * kLanes;
      if (b.fresh) (Vec::load(score) - shift[c]).store(score);
      top[c] = Vec::max(top[c], Vec::load(score));
    }
    if (Vec::less(Vec::set(kSlack), top[c]).any()) return false;
    sums[c] = exponentiateAll<false>(b, group + c, j, b.keys, sums[c]);
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
  if (!weightStrip<kVecs>(b, group, ahead)) return false;
  if (b.fresh)
    weighRun<kVecs, Join::kStart>(b, group, 0, b.keys, nullptr, ahead);
  else
    weighRun<kVecs, Join::kAdd>(b, group, 0, b.keys, nullptr, ahead);
  return true;
}

void attendStrip(const AttendBlock& b, int group, int count, Ahead& ahead) {
  if (count == 3 && attendWhole<3>(b, group, ahead)) return;
  if (count == 2 && attendWhole<2>(b, group, ahead)) return;
  if (count == 1 && attendWhole<1>(b, group, ahead)) return;
  Sight sights[kSpan];
  for (int c = 0; c < count; ++c) sights[c] = sightOf(b, group + c);
  Run runs[2 * kSpan];
  const int made = runsOf(sights, count, runs);
  for (int i = 0; i < made; ++i) scoreStrip(b, group, runs[i], ahead);

  alignas(64) float factor[kPanel];
  bool moved = false;
  for (int c = 0; c < count; ++c) {
    Vec::set(1.0f).store(factor + (group + c) * kLanes);
    // A vector between two members of a run that is none itself gets no weight there.
    for (int i = 0; i < made; ++i) {
      if (c < runs[i].first || c >= runs[i].first + runs[i].count) continue;
      if (runs[i].members >> c & 1) continue;
      for (int j = runs[i].begin; j < runs[i].end; ++j)
        Vec::zero().store(b.scores + j * kPanel + (group + c) * kLanes);
    }
    if (sights[c].begin == sights[c].end) continue;
    if (b.terms) applyTerms(b, group + c, sights[c].begin, sights[c].end);
    moved = normalise(b, group + c, sights[c], factor) || moved;
  }
  if (b.fresh) {  // everything is one run
    weighStrip<Join::kStart>(b, group, runs[0], nullptr, ahead);
    return;
  }
  if (!moved) {
    for (int i = 0; i < made; ++i) weighStrip<Join::kAdd>(b, group, runs[i], nullptr, ahead);
    return;
  }
  for (int i = 0; i < made; ++i) {
    weighStrip<Join::kRescale>(b, group, runs[i], factor, ahead);
    // A vector is rescaled once: in the first run that it is part of.
    for (int c = runs[i].first; c < runs[i].first + runs[i].count; ++c)
      Vec::set(1.0f).store(factor + (group + c) * kLanes);
  }
}

void attend(const AttendBlock& b) {
  const int groups = (b.queries + kLanes - 1) / kLanes;
  const int tiles = (groups + kSpan - 1) / kSpan *
                    (b.keys / kTileRows<kSpan> + b.valueDepth / kTileRows<kSpan> + 1);
  Ahead ahead{b.ahead, b.ahead + b.aheadRows, b.aheadRows / tiles + 1, b.aheadFloats};
  for (int group = 0; group < groups; group += kSpan)
    attendStrip(b, group, groups - group < kSpan ? groups - group : kSpan, ahead);
}

inline constexpr AttendTile kAttendTile{attend};
