#include "kernels/attendProducts-inl.h"
#include "kernels/attendSights-inl.h"
#include "kernels/attendWeights-inl.h"

// A register tile of scores turned into weights, exp2(score - shift), where no score is above the
// slack: they need not go through memory before. Queries that see their first keys (kFirst, which
// finds their shift, kFresh) have it subtracted afterwards, as where the whole block goes through
// memory; the others begin at -shift. sums[c] += the weights of vector c, top[c] becomes its
// largest score.
enum class Keys { kFirst, kFresh, kMore };

template <int kVecs, Keys kKeys>
inline void weightTile(const AttendBlock& b, int group, int j, const Vec* start, Vec* shift,
                       Vec* sums, Vec* top) {
  constexpr int kRows = kTileRows<kSpan>;
  Vec acc[kRows][kVecs];
  multiplyTile(b.panel + group * kLanes, b.keyRows + j, b.depth, start, acc);
#pragma GCC unroll 4
  for (int c = 0; c < kVecs; ++c) {
    float* weights = b.scores + j * kPanel + (group + c) * kLanes;
    Vec s[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) s[r] = acc[r][c];
    if constexpr (kKeys == Keys::kFirst) shift[c] = firstShift(s);
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

// Scores and weights of a strip in one go, which is what most blocks come to: every key is in sight
// of every query, nothing is added to the scores, and no shift has to move. Returns false where one
// has; the block then starts over, with nothing but its scratch touched.
template <int kVecs>
bool weightStrip(const AttendBlock& b, int group, Ahead& ahead) {
  constexpr int kRows = kTileRows<kSpan>;
  Vec start[kVecs], shift[kVecs], sums[kVecs], top[kVecs];
  for (int c = 0; c < kVecs; ++c) {
    const int at = (group + c) * kLanes;
    if (!b.fresh && Vec::equal(Vec::load(b.sums + at), Vec::zero()).any()) return false;
    start[c] = Vec::negate(Vec::load(b.shift + at));
    sums[c] = Vec::zero();
    top[c] = Vec::set(-kInfinity);
  }
  int j = 0;
  if (b.fresh) weightTile<kVecs, Keys::kFirst>(b, group, j, start, shift, sums, top);
  if (b.fresh) j = kRows;
  for (; j + kRows <= b.keys; j += kRows) {
    ahead.ask();
    if (b.fresh)
      weightTile<kVecs, Keys::kFresh>(b, group, j, start, shift, sums, top);
    else
      weightTile<kVecs, Keys::kMore>(b, group, j, start, shift, sums, top);
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
  if (b.begin || b.terms || b.keys < kTileRows<kSpan>) return false;
  if (!weightStrip<kVecs>(b, group, ahead)) return false;
  if (b.fresh)
    weighRun<kVecs, Join::kStart>(b, group, 0, b.keys, nullptr, ahead);
  else
    weighRun<kVecs, Join::kAdd>(b, group, 0, b.keys, nullptr, ahead);
  return true;
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
    const Vec shift = firstShift(first);
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
  here = exponentiateSome(b, group, sight.begin, sight.fullBegin, here);
  here = exponentiateSeen(b, group, sight.fullBegin, sight.fullEnd, here);
  here = exponentiateSome(b, group, sight.fullEnd, sight.end, here);
  (sum + here).store(b.sums + at);
  return moved;
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
