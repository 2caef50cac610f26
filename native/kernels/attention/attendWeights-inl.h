// Weights, exp2(score - shift), while the scores are in registers: they never go through memory.
//
// The shift has to be known before. It is that of the earlier blocks, or, for a query that has seen
// no key yet, the largest score of the first register tile in which it sees one; ALiBi raises it by
// as much as the nearest key of the block is nearer. Where a score exceeds it by more than the
// slack, or none comes near, the block starts over with the largest score as the shift. Queries of
// a vector choose one by one, and tiles that are hidden add zeros: no bit depends on what a
// neighbour sees, nor on what hidden entries hold.

// The softmax of a strip over one block.
struct StripState {
  Vec base[kSpan];    // what scores begin with: -shift; 0 for queries that find it in this block
  Vec late[kSpan];    // what is then subtracted from their scores: -inf until it is found, 0 for
                      // others
  Vec sums[kSpan];    // of this block's weights
  Vec top[kSpan];     // the largest score, less the shift
  bool open = false;  // some shift is not found yet
  bool anyLate = false;
};

// What a register tile looks after: nothing but -shift in its base; shifts found late; or
// everything, with keys that are hidden.
enum class Heed { kNothing, kLate, kAll };

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

// The sum of a whole tile's weights, in two chains.
[[gnu::always_inline]] inline Vec sumOf(const Vec (&p)[kTileRows<kSpan>]) {
  Vec even = p[0], odd = p[1];
#pragma GCC unroll 16
  for (int r = 2; r < kTileRows<kSpan>; r += 2) {
    even = even + p[r];
    odd = odd + p[r + 1];
  }
  return even + odd;
}

// Writes -inf over the scores that queries do not see, of the keys from j on.
template <int kRows>
inline void hide(const AttendBlock& b, int at, int j, const float* addend, Vec (&s)[kRows]) {
  const Vec hidden = Vec::set(-kInfinity);
  if (b.begin) {
    const Vec first = Vec::load(b.begin + at), last = Vec::load(b.end + at);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vec key = Vec::set(float(j + r));
      s[r] = Vec::select(Vec::lessEqual(first, key) & Vec::less(key, last), s[r], hidden);
    }
  }
  if (addend) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
      s[r] = Vec::select(Vec::equal(Vec::load(addend + r * kSpan * kLanes), hidden), hidden, s[r]);
  }
}

// The shifts of queries that have none yet: their largest score, if they see a key, and what later
// keys will raise it by.
template <int kRows>
inline Vec lateShift(Vec late, const Vec (&s)[kRows], Vec lift) {
  Vec m = s[0];
#pragma GCC unroll 16
  for (int r = 1; r < kRows; ++r) m = Vec::max(m, s[r]);
  m = m + lift;
  return Vec::select(Vec::equal(late, Vec::set(-kInfinity)) & Vec::less(late, m), m, late);
}

// How far a query of a vector is from the nearest of the keys [begin, end) that it sees.
inline Vec nearest(const AttendBlock& b, int at, int begin, int end) {
  const Vec position = Vec::load(b.terms->positions + at);
  Vec first = Vec::set(float(begin)), last = Vec::set(float(end));
  if (b.begin) {
    first = Vec::max(first, Vec::load(b.begin + at));
    last = Vec::min(last, Vec::load(b.end + at));
  }
  const Vec key = Vec::max(first, Vec::min(position, last - Vec::set(1.0f)));
  return Vec::abs(position - key);
}

inline bool anyOpen(const StripState& state) {
  Mask open = Mask::firstLanes(0);
  for (const Vec& late : state.late) open = open | Vec::equal(late, Vec::set(-kInfinity));
  return open.any();
}

// The weights of kRows keys from j on for the vectors [first, first + kVecs) of a strip. Inlined,
// the compiler would keep addresses of keys in memory.
template <int kRows, int kVecs, Heed kHeed>
[[gnu::noinline]] void weightTile(const AttendBlock& b, StripState& state, int group, int first,
                                  int j, const float* addend) {
  Vec acc[kRows][kVecs];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kVecs; ++c) acc[r][c] = state.base[first + c];
  }
  if (b.terms) {
    Vec slope[kVecs], position[kVecs];
    for (int c = 0; c < kVecs; ++c) {
      slope[c] = Vec::load(b.terms->slopes + (group + first + c) * kLanes);
      position[c] = Vec::load(b.terms->positions + (group + first + c) * kLanes);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vec key = Vec::set(float(j + r));
#pragma GCC unroll 4
      for (int c = 0; c < kVecs; ++c)
        acc[r][c] = Vec::fnma(slope[c], Vec::abs(position[c] - key), acc[r][c]);
    }
  }
  if (addend) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int c = 0; c < kVecs; ++c) {
        const Vec a = Vec::load(addend + (r * kSpan + c) * kLanes);
        acc[r][c] = Vec::fma(Vec::set(kLog2e), a, acc[r][c]);
      }
    }
  }
  multiplyTile(b.panel + (group + first) * kLanes, b.keyRows + j, b.depth, acc);
#pragma GCC unroll 4
  for (int c = 0; c < kVecs; ++c) {
    const int at = (group + first + c) * kLanes;
    Vec s[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) s[r] = acc[r][c];
    Vec& late = state.late[first + c];
    Vec shift = late;
    if constexpr (kHeed == Heed::kAll) {
      hide(b, at, j, addend ? addend + c * kLanes : nullptr, s);
      if (state.open) {
        Vec lift = Vec::zero();
        if (b.terms)
          lift = Vec::load(b.terms->slopes + at) *
                 (nearest(b, at, j, j + kRows) - nearest(b, at, 0, b.keys));
        late = lateShift(late, s, lift);
      }
      shift = Vec::select(Vec::equal(late, Vec::set(-kInfinity)), Vec::zero(), late);
    }
    Vec top = state.top[first + c];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      if constexpr (kHeed != Heed::kNothing) s[r] = s[r] - shift;
      top = Vec::max(top, s[r]);
    }
    state.top[first + c] = top;
    if (kHeed == Heed::kAll && b.careful) {
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) s[r] = weightOf<Care::kHiding>(s[r]);
    } else {
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) s[r] = exp2OrZero(s[r]);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) s[r].store(b.scores + (j + r) * kPanel + at);
    if constexpr (kRows == kTileRows<kSpan>) {
      state.sums[first + c] = state.sums[first + c] + sumOf(s);
    } else {
      for (int r = 0; r < kRows; ++r) state.sums[first + c] = state.sums[first + c] + s[r];
    }
  }
}

// What is left of the last run's keys, fewer than a register tile.
template <int kRows, int kVecs>
inline void weightRest(const AttendBlock& b, StripState& state, int group, int first, int j,
                       int rest, const float* addend) {
  if constexpr (kRows > 0) {
    if (rest == kRows)
      weightTile<kRows, kVecs, Heed::kAll>(b, state, group, first, j, addend);
    else
      weightRest<kRows - 1, kVecs>(b, state, group, first, j, rest, addend);
  }
}

// The weights of a run. Keys at either end that the mask hides from all its queries are taken off.
template <int kVecs>
void weightRun(const AttendBlock& b, StripState& state, int group, Run& run, AddendTile& own,
               Ahead& ahead) {
  constexpr int kRows = kTileRows<kSpan>;
  const int first = run.first;
  const AddendTile* addend = nullptr;
  int begin = run.end, end = run.begin;
  for (int j = run.begin; j < run.end; j += kRows) {
    const float* values = nullptr;
    if (b.addend) {
      if (j == run.begin || j % kAddendKeys == 0)
        addend = &addendOf(own, b, group, first, kVecs, j / kAddendKeys * kAddendKeys);
      if (addend->kind == AddendTile::kAllHidden) {
        for (int i = j; i < run.end && i < j + kRows; ++i)
          for (int c = 0; c < kVecs; ++c)
            Vec::zero().store(b.scores + i * kPanel + (group + first + c) * kLanes);
        continue;
      }
      if (addend->kind == AddendTile::kValues)
        values = addend->values[j % kAddendKeys] + first * kLanes;
    }
    ahead.ask();
    begin = fewer(begin, j);
    end = fewer(j + kRows, run.end);
    const bool seen = run.fullBegin <= j && j + kRows <= run.fullEnd && !(values && addend->hides);
    if (run.end - j < kRows)
      weightRest<kRows - 1, kVecs>(b, state, group, first, j, run.end - j, values);
    else if (!seen || state.open || b.careful)
      weightTile<kRows, kVecs, Heed::kAll>(b, state, group, first, j, values);
    else if (state.anyLate)
      weightTile<kRows, kVecs, Heed::kLate>(b, state, group, first, j, values);
    else
      weightTile<kRows, kVecs, Heed::kNothing>(b, state, group, first, j, values);
    if (state.open) state.open = anyOpen(state);
  }
  run.begin = fewer(begin, end);
  run.end = end;
}

inline void weightRuns(const AttendBlock& b, StripState& state, int group, Run* runs, int made,
                       Ahead& ahead) {
  AddendTile addend;
  for (int i = 0; i < made; ++i) {
    if (runs[i].count == 3) weightRun<3>(b, state, group, runs[i], addend, ahead);
    if (runs[i].count == 2) weightRun<2>(b, state, group, runs[i], addend, ahead);
    if (runs[i].count == 1) weightRun<1>(b, state, group, runs[i], addend, ahead);
  }
}

// How much ALiBi raises the scores of this block over those of the one before. Queries that see
// their first keys begin with the distance to the nearest.
inline Vec rises(const AttendBlock& b, int at, Mask fresh, Vec& base) {
  const Vec zero = Vec::zero(), slope = Vec::load(b.terms->slopes + at);
  const Vec here = nearest(b, at, 0, b.keys);
  const Vec before = Vec::abs(Vec::load(b.terms->positions + at) + Vec::set(1.0f));  // its last key
  base = Vec::select(fresh, slope * here, base);
  Mask sees = ~fresh;
  if (b.begin) sees = sees & Vec::less(Vec::load(b.begin + at), Vec::load(b.end + at));
  return Vec::select(sees, Vec::max(slope * (before - here), zero), zero);
}

// Weights of the strip's queries, their new shifts and sums. Returns whether sums so far have to be
// multiplied by `factor`, because a shift moved.
inline bool weightStrip(const AttendBlock& b, int group, int count, Run* runs, int made,
                        float* factor, Ahead& ahead) {
  const Vec none = Vec::set(-kInfinity), zero = Vec::zero(), one = Vec::set(1.0f);
  StripState state;
  Vec room[kSpan];  // what a shift rose by: it may come down as far, a first one any way
  for (int c = 0; c < kSpan; ++c) state.late[c] = zero;
  for (int c = 0; c < count; ++c) {
    const int at = (group + c) * kLanes;
    const Mask fresh = Vec::equal(Vec::load(b.sums + at), zero);
    state.base[c] = Vec::select(fresh, zero, Vec::negate(Vec::load(b.shift + at)));
    const Vec rise = b.terms ? rises(b, at, fresh, state.base[c]) : zero;
    state.base[c] = state.base[c] - rise;
    room[c] = Vec::select(fresh, Vec::set(kInfinity), rise);
    state.late[c] = Vec::select(fresh, none, zero);
    state.sums[c] = zero;
    state.top[c] = none;
    state.anyLate = state.anyLate || fresh.any();
  }
  state.open = state.anyLate;
  weightRuns(b, state, group, runs, made, ahead);
  bool again = false, moved = false;
  for (int c = 0; c < count; ++c) {
    const int at = (group + c) * kLanes;
    const Mask found = Vec::less(none, state.late[c]);
    const Mask low = Vec::less(state.top[c], Vec::set(-kDepth)) & Vec::less(zero, room[c]) & found;
    const Mask wrong = Vec::less(Vec::set(kSlack), state.top[c]) | low;
    const Vec rise = Vec::max(state.top[c], Vec::negate(room[c]));
    again = again || wrong.any();
    state.base[c] = Vec::select(wrong, state.base[c] - state.late[c] - rise, state.base[c]);
    state.late[c] = Vec::select(wrong, zero, state.late[c]);
    const Mask fresh = Vec::equal(Vec::load(b.sums + at), zero);
    const Vec scale = Vec::select(fresh, one, exp2OrZero(Vec::load(b.shift + at) + state.base[c]));
    scale.store(factor + at);
    moved = moved || (~Vec::equal(scale, one)).any();
  }
  if (again) {
    for (int c = 0; c < count; ++c) {
      state.sums[c] = zero;
      state.top[c] = none;
    }
    weightRuns(b, state, group, runs, made, ahead);
  }
  for (int c = 0; c < count; ++c) {
    const int at = (group + c) * kLanes;
    const Mask found = Vec::less(none, state.late[c]);
    const Vec shift = Vec::select(found, state.late[c] - state.base[c], Vec::load(b.shift + at));
    shift.store(b.shift + at);
    Vec::fma(Vec::load(b.sums + at), Vec::load(factor + at), state.sums[c]).store(b.sums + at);
  }
  return moved;
}
