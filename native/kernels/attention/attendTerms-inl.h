// Scores that a soft cap changes go through memory: its tanh would not fit in beside the products.
// s <- the final score minus the shift, for the keys and vectors of a run; -inf where the addend
// hides the key.
void applyTerms(const AttendBlock& b, int group, const Run& run, AddendTile& own) {
  const ScoreTerms& t = *b.terms;
  const Vec cap = Vec::set(t.softcap), perCap = Vec::set(t.softcap > 0 ? 1 / t.softcap : 0);
  const Vec hidden = Vec::set(-kInfinity);
  int stop;
  for (int from = run.begin; from < run.end; from = stop) {
    const int tile = from / kAddendKeys * kAddendKeys;
    stop = fewer(tile + kAddendKeys, run.end);
    const AddendTile* addend =
        b.addend ? &addendOf(own, b, group, run.first, run.count, tile) : nullptr;
    for (int c = 0; c < run.count; ++c) {
      const int at = (group + run.first + c) * kLanes;
      const Vec shift = Vec::load(b.shift + at);
      const Vec slope = t.slopes ? Vec::load(t.slopes + at) : Vec::zero();
      const Vec position = t.slopes ? Vec::load(t.positions + at) : Vec::zero();
      for (int j = from; j < stop; ++j) {
        float* p = b.scores + j * kPanel + at;
        Vec s = Vec::load(p);
        if (t.softcap > 0) s = cap * tanh(s * perCap);
        if (t.slopes) s = Vec::fnma(slope, Vec::abs(position - Vec::set(float(j))), s);
        s = s - shift;
        if (addend && addend->kind == AddendTile::kValues) {
          const Vec a = Vec::load(addend->values[j - tile] + (run.first + c) * kLanes);
          s = Vec::select(Vec::equal(a, hidden), hidden, Vec::fma(Vec::set(kLog2e), a, s));
        } else if (addend && addend->kind == AddendTile::kAllHidden) {
          s = hidden;
        }
        s.store(p);
      }
    }
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
  here = b.careful ? exponentiateAll<Care::kHiding>(b, group, sight.fullBegin, sight.fullEnd, here)
                   : exponentiateAll<Care::kNone>(b, group, sight.fullBegin, sight.fullEnd, here);
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

// Weights of the strip's queries by way of memory; returns as weightStrip does.
bool weightTerms(const AttendBlock& b, int group, int count, const Sight* sights, const Run* runs,
                 int made, float* factor, Ahead& ahead) {
  AddendTile addend;
  for (int i = 0; i < made; ++i) {
    scoreStrip(b, group, runs[i], ahead);
    applyTerms(b, group, runs[i], addend);
  }
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
    moved = normalise(b, group + c, sights[c], factor) || moved;
  }
  return moved;
}
