inline constexpr int kLanes = Vec::kLanes;
inline constexpr bool kWideFile = Vec::kRegisters >= 32;
// Rows that share keys, keys of a score tile, columns of a value tile: 3 x 7 sums and 4 operands of
// 32 registers, 2 x 5 and 3 of 16.
inline constexpr int kRowsTogether = kWideFile ? 3 : 2;
inline constexpr int kKeysTogether = kWideFile ? 7 : 5;
inline constexpr int kColumnsTogether = kWideFile ? 8 : 5;
// The same where all rows see all keys.
inline constexpr int kWholeRows = kWideFile ? 7 : 3;
inline constexpr int kWholeKeys = kWideFile ? 3 : 3;
inline constexpr int kWholeColumns = kWideFile ? 3 : 3;
inline constexpr float kHiddenScore = -std::numeric_limits<float>::infinity();
inline constexpr float kLn2 = 0.693147180559945309f;

// Keys [begin, end) that the rows [first, first + count) see.
struct SharedKeys {
  int begin, end, first, count;
};

// Rows join and leave in their order, so 2 rows - 1 runs are the most.
inline int sharedRuns(const LaneBlock& b, SharedKeys* runs) {
  int made = 0, joined = 0, left = 0, at = b.begin[0];
  while (left < b.rows) {
    while (joined < b.rows && b.begin[joined] <= at) ++joined;
    int next = left < joined ? b.end[left] : b.begin[joined];
    if (joined < b.rows && b.begin[joined] < next) next = b.begin[joined];
    if (left < joined && next > at) runs[made++] = {at, next, left, joined - left};
    at = next;
    while (left < joined && b.end[left] <= at) ++left;
  }
  return made;
}

template <int kRows, int kKeys>
inline void scoreLanes(const LaneBlock& b, int first, int n) {
  Vec sum[kRows][kKeys];
  const float* query[kRows];
  const float* key[kKeys];
#pragma GCC unroll 8
  for (int j = 0; j < kKeys; ++j) key[j] = b.key[n + j];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    query[r] = b.query[first + r];
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) sum[r][j] = Vec::zero();
  }
  int64_t q = 0, at = 0;
  for (int k = 0; k < b.depth; ++k, q += b.queryStep, at += b.keyStep) {
    Vec x[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) x[r] = Vec::loadOnce(query[r] + q);
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) {
      const Vec y = Vec::loadOnce(key[j] + at);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) sum[r][j] = Vec::fma(x[r], y, sum[r][j]);
    }
  }
  const Vec scale = Vec::set(b.scale);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    float* to = b.scores + (int64_t{first + r} * b.keys + n) * kLanes;
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) (sum[r][j] * scale).store(to + j * kLanes);
  }
}

template <int kRows, int kKeys>
inline void scoreRest(const LaneBlock& b, int first, int n, int rest) {
  if constexpr (kKeys > 0) {
    if (rest == kKeys)
      scoreLanes<kRows, kKeys>(b, first, n);
    else
      scoreRest<kRows, kKeys - 1>(b, first, n, rest);
  }
}

template <int kRows>
void scoreShared(const LaneBlock& b, const SharedKeys& run) {
  int n = run.begin;
  for (; n + kKeysTogether <= run.end; n += kKeysTogether)
    scoreLanes<kRows, kKeysTogether>(b, run.first, n);
  scoreRest<kRows, kKeysTogether - 1>(b, run.first, n, run.end - n);
}

// The addend of a row; where it hides a key, whatever its score was.
void addAddend(const LaneBlock& b, int r, float* scores) {
  const Vec hidden = Vec::set(kHiddenScore);
  for (int n = b.begin[r]; n < b.end[r]; ++n) {
    const Vec a = Vec::load(b.addend[r][n - b.begin[r]]);
    float* s = scores + n * kLanes;
    Vec::select(Vec::equal(a, hidden), hidden, Vec::load(s) + a).store(s);
  }
}

// Scores become weights; returns 1 over their sum. A visible weight is never 0 under kCareful: 0
// then means hidden and nothing else.
template <bool kCareful>
inline Vec weighScores(const LaneBlock& b, int r, float* scores) {
  float* s = scores + b.begin[r] * kLanes;
  const int count = b.end[r] - b.begin[r];
  Vec m0 = Vec::set(kHiddenScore), m1 = m0;
  int n = 0;
  for (; n + 2 <= count; n += 2) {
    m0 = Vec::max(m0, Vec::load(s + n * kLanes));
    m1 = Vec::max(m1, Vec::load(s + (n + 1) * kLanes));
  }
  for (; n < count; ++n) m0 = Vec::max(m0, Vec::load(s + n * kLanes));
  const Vec most = Vec::max(m0, m1);
  const auto weight = [&](int at) {
    const Vec x = Vec::load(s + at * kLanes);
    Vec p = exp2OrZero(x - most);
    if (kCareful)
      p = Vec::select(Vec::equal(x, Vec::set(kHiddenScore)), Vec::zero(),
                      Vec::max(Vec::set(std::numeric_limits<float>::min()), p));
    p.store(s + at * kLanes);
    return p;
  };
  Vec sum[4] = {Vec::zero(), Vec::zero(), Vec::zero(), Vec::zero()};
  for (n = 0; n + 4 <= count; n += 4) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) sum[j] = sum[j] + weight(n + j);
  }
  for (; n < count; ++n) sum[0] = sum[0] + weight(n);
  const Vec total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  if (b.lse[r]) Vec::fma(most, Vec::set(kLn2), log(total)).store(b.lse[r]);
  return Vec::set(1.0f) / total;
}

// sum[r][c] += p[r][n] value[n][c] over a run of keys; the rows of the run are known here.
template <int kFirst, int kRows, int kColumns, bool kCareful, int kSums>
[[gnu::always_inline]] inline void addValues(const LaneBlock& b, const SharedKeys& run, int column,
                                             Vec (&sum)[kSums][kColumns]) {
  const int64_t pitch = int64_t{b.keys} * kLanes;
  const float* p = b.scores + kFirst * pitch;
  for (int n = run.begin; n < run.end; ++n) {
    const float* value = b.value[n] + column * b.valueStep;
    Vec x[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) x[r] = Vec::loadOnce(p + r * pitch + n * kLanes);
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) {
      const Vec v = Vec::loadOnce(value + c * b.valueStep);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const Vec added = Vec::fma(x[r], v, sum[kFirst + r][c]);
        sum[kFirst + r][c] =
            kCareful ? Vec::select(Vec::equal(x[r], Vec::zero()), sum[kFirst + r][c], added)
                     : added;
      }
    }
  }
}

template <int kColumns, bool kCareful>
void valueLanes(const LaneBlock& b, const SharedKeys* runs, int made, int column,
                const Vec* share) {
  Vec sum[kRowsTogether][kColumns];
#pragma GCC unroll 4
  for (int r = 0; r < kRowsTogether; ++r)
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) sum[r][c] = Vec::zero();
  for (int i = 0; i < made; ++i) {
    const SharedKeys& run = runs[i];
    switch (run.first * 4 + run.count) {
      case 1:
        addValues<0, 1, kColumns, kCareful>(b, run, column, sum);
        break;
      case 2:
        addValues<0, 2, kColumns, kCareful>(b, run, column, sum);
        break;
      case 5:
        addValues<1, 1, kColumns, kCareful>(b, run, column, sum);
        break;
      default:
        if constexpr (kRowsTogether == 3) {
          if (run.first == 0) addValues<0, 3, kColumns, kCareful>(b, run, column, sum);
          if (run.first == 1) addValues<1, 2, kColumns, kCareful>(b, run, column, sum);
          if (run.first == 2) addValues<2, 1, kColumns, kCareful>(b, run, column, sum);
        }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRowsTogether; ++r) {
    if (r >= b.rows) break;
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c)
      (sum[r][c] * share[r]).store(b.out[r] + (column + c) * b.outStep);
  }
}

template <bool kCareful>
void finishLanes(const LaneBlock& b, const SharedKeys* runs, int made) {
  Vec share[kRowsTogether];
  for (int r = 0; r < b.rows; ++r) {
    float* scores = b.scores + int64_t{r} * b.keys * kLanes;
    if (b.addend[r]) addAddend(b, r, scores);
    share[r] = weighScores<kCareful>(b, r, scores);
  }
  int c = 0;
  for (; c + kColumnsTogether <= b.valueDepth; c += kColumnsTogether)
    valueLanes<kColumnsTogether, kCareful>(b, runs, made, c, share);
  for (; c + 4 <= b.valueDepth; c += 4) valueLanes<4, kCareful>(b, runs, made, c, share);
  for (; c < b.valueDepth; ++c) valueLanes<1, kCareful>(b, runs, made, c, share);
}

void attendLanes(const LaneBlock& b) {
  SharedKeys runs[2 * kMostLaneRows];
  const int made = sharedRuns(b, runs);
  for (int i = 0; i < made; ++i) {
    if (runs[i].count == 1) scoreShared<1>(b, runs[i]);
    if (runs[i].count == 2) scoreShared<2>(b, runs[i]);
    if constexpr (kRowsTogether >= 3) {
      if (runs[i].count == 3) scoreShared<3>(b, runs[i]);
    }
  }
  if (b.careful)
    finishLanes<true>(b, runs, made);
  else
    finishLanes<false>(b, runs, made);
}

// Where every row sees every key, keys are read for more rows at a time: what they share is no
// longer found in the first-level cache.
template <int kRows>
void scoreWhole(const LaneBlock& b) {
  int n = 0;
  for (; n + kWholeKeys <= b.keys; n += kWholeKeys) scoreLanes<kRows, kWholeKeys>(b, 0, n);
  scoreRest<kRows, kWholeKeys - 1>(b, 0, n, b.keys - n);
}

template <int kRows, int kColumns, bool kCareful>
void valueWhole(const LaneBlock& b, int column, const Vec* share) {
  Vec sum[kRows][kColumns];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) sum[r][c] = Vec::zero();
  addValues<0, kRows, kColumns, kCareful>(b, {0, b.keys, 0, kRows}, column, sum);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c)
      (sum[r][c] * share[r]).store(b.out[r] + (column + c) * b.outStep);
}

template <int kRows, bool kCareful>
void finishWhole(const LaneBlock& b) {
  Vec share[kRows];
  for (int r = 0; r < kRows; ++r) {
    float* scores = b.scores + int64_t{r} * b.keys * kLanes;
    if (b.addend[r]) addAddend(b, r, scores);
    share[r] = weighScores<kCareful>(b, r, scores);
  }
  int c = 0;
  for (; c + kWholeColumns <= b.valueDepth; c += kWholeColumns)
    valueWhole<kRows, kWholeColumns, kCareful>(b, c, share);
  for (; c < b.valueDepth; ++c) valueWhole<kRows, 1, kCareful>(b, c, share);
}

template <int kRows>
void attendWholeRows(const LaneBlock& b) {
  if constexpr (kRows > 0) {
    if (b.rows != kRows) return attendWholeRows<kRows - 1>(b);
    scoreWhole<kRows>(b);
    if (b.careful)
      finishWhole<kRows, true>(b);
    else
      finishWhole<kRows, false>(b);
  }
}

void attendWhole(const LaneBlock& b) { attendWholeRows<kWholeRows>(b); }

void gatherLanes(const float* const* rows, int64_t step, int64_t depth, float* vectors) {
  int64_t k = 0;
  for (; step == 1 && k + kLanes <= depth; k += kLanes) {
    Vec square[kLanes];
#pragma GCC unroll 16
    for (int lane = 0; lane < kLanes; ++lane) square[lane] = Vec::load(rows[lane] + k);
    Vec::transpose(square);
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) square[i].store(vectors + (k + i) * kLanes);
  }
  for (; k < depth; ++k)
    for (int lane = 0; lane < kLanes; ++lane) vectors[k * kLanes + lane] = rows[lane][k * step];
}

void scatterLanes(const float* vectors, int64_t depth, int count, float* const* rows,
                  int64_t step) {
  int64_t k = 0;
  for (; step == 1 && k + kLanes <= depth; k += kLanes) {
    Vec square[kLanes];
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) square[i] = Vec::load(vectors + (k + i) * kLanes);
    Vec::transpose(square);
#pragma GCC unroll 16
    for (int lane = 0; lane < kLanes; ++lane)
      if (lane < count) square[lane].store(rows[lane] + k);
  }
  for (; k < depth; ++k)
    for (int lane = 0; lane < count; ++lane) rows[lane][k * step] = vectors[k * kLanes + lane];
}

inline constexpr LaneTile kLaneTile{kLanes,      kRowsTogether, kWholeRows,  attendLanes,
                                    attendWhole, gatherLanes,   scatterLanes};
