#include "kernels/laneWeights-inl.h"

// Rows and keys of a register tile: 3 x 7 sums or weights and 6 operands of 32 registers, 3 x 4 and
// 4 of 16.
inline constexpr int kRowsTogether = 3;
inline constexpr int kKeysTogether = kWideFile ? 7 : 4;
// Two vectors hold all keys of a tile where lanes are many, otherwise those of one key.
inline constexpr bool kTwoHoldTile = kLanes > kKeysTogether;

// Vectors as long as a line: all loads but the first of a tile go across two of them.
inline constexpr bool kLoadsStraddle = kLanes * sizeof(float) == 64;
// Of seven shifted keys the others are permuted: 2 or 3 loaded ones are best, 4 cost 10 % more.
inline constexpr int kLoadedKeys = kLoadsStraddle ? 2 : kKeysTogether;

// Vectors of the keys of a tile at one element. One at a time, lest they take all registers.
template <bool kShifted>
class Neighbors {
 public:
  Neighbors(const int32_t* from, const float* row) : from_(from), row_(row) {
    if constexpr (kTwoHoldTile && (!kShifted || kLoadsStraddle)) {
      low_ = Vec::loadOnce(row);
      high_ = Vec::loadOnce(row + kLanes);
    }
  }
  [[gnu::always_inline]] Vec at(int key) const {
    if constexpr (kShifted) {
      if (kLoadsStraddle && key == 0) return low_;
      if (key < kLoadedKeys) return Vec::loadOnce(row_ + key);
    }
    if constexpr (kTwoHoldTile) return Vec::pick(low_, high_, from_ + key * kLanes, 0);
    return Vec::pick(Vec::load(row_ + key), Vec::load(row_ + key + kLanes), from_, 0);
  }

 private:
  const int32_t* from_;
  const float* row_;
  Vec low_, high_;
};

// Rows of keys [begin, end) that the rows of queries [first, first + count) see.
struct SharedRows {
  int begin, end, first, count;
};

// Rows join and leave in their order, so 2 rows - 1 runs are the most.
inline int sharedRuns(const NeighborBlock& b, SharedRows* runs) {
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

// Where the weights of a row of queries for a row of keys stand.
inline float* weightsOf(const NeighborBlock& b, int r, int keyRow) {
  return b.scores + (int64_t{r} * b.keyRows + keyRow) * b.window * kLanes;
}

// Keys [e, e + kKeys) of the windows of some rows of queries in a row of keys.
struct TileAt {
  int first, keyRow, e;
};

template <int kRows, int kKeys, bool kShifted>
void scoreTile(const NeighborBlock& b, TileAt t) {
  Vec sum[kRows][kKeys];
  const float* query[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    query[r] = b.query[t.first + r];
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) sum[r][j] = Vec::zero();
  }
  const float* key = b.key[t.keyRow] + t.e;
  const int32_t* from = b.from;
  const int64_t keyStep = b.keyStep, queryStep = b.queryStep;
  int64_t q = 0;
#pragma GCC unroll 4
  for (int k = b.depth; k > 0; --k, q += queryStep, key += keyStep) {
    const Neighbors<kShifted> keys(from, key);
    Vec x[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) x[r] = Vec::loadOnce(query[r] + q);
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) {
      const Vec y = keys.at(j);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) sum[r][j] = Vec::fma(x[r], y, sum[r][j]);
    }
  }
  const Vec scale = Vec::set(b.scale);
  float* to = weightsOf(b, t.first, t.keyRow) + t.e * kLanes;
  const int64_t pitch = int64_t{b.keyRows} * b.window * kLanes;
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) (sum[r][j] * scale).store(to + r * pitch + j * kLanes);
  }
}

// sum + p v; nothing where p is 0, if careful.
template <bool kCareful>
inline Vec addProduct(Vec p, Vec v, Vec sum) {
  const Vec added = Vec::fma(p, v, sum);
  return kCareful ? Vec::select(Vec::equal(p, Vec::zero()), sum, added) : added;
}

// out[r][c] += p[r][e] value[e][c] for the keys of a tile, whose weights stay in registers.
template <int kRows, int kKeys, bool kShifted, bool kCareful>
void valueTile(const NeighborBlock& b, TileAt t) {
  Vec p[kRows][kKeys];
  float* out[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    out[r] = b.out[t.first + r];
    const float* weights = weightsOf(b, t.first + r, t.keyRow) + t.e * kLanes;
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) p[r][j] = Vec::loadOnce(weights + j * kLanes);
  }
  const float* value = b.value[t.keyRow] + t.e;
  const int32_t* from = b.from;
  const int64_t valueStep = b.valueStep, outStep = b.outStep;
  int64_t at = 0;
  for (int c = b.valueDepth; c > 0; --c, at += outStep, value += valueStep) {
    const Neighbors<kShifted> values(from, value);
    Vec sum[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) sum[r] = Vec::loadOnce(out[r] + at);
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) {
      const Vec v = values.at(j);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) sum[r] = addProduct<kCareful>(p[r][j], v, sum[r]);
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) sum[r].store(out[r] + at);
  }
}

// What is done with a tile.
enum class Step { kScore, kAddValues, kAddCarefully };

template <Step kStep, int kRows, int kKeys, bool kShifted>
inline void tile(const NeighborBlock& b, TileAt t) {
  if constexpr (kStep == Step::kScore)
    scoreTile<kRows, kKeys, kShifted>(b, t);
  else
    valueTile<kRows, kKeys, kShifted, kStep == Step::kAddCarefully>(b, t);
}

template <Step kStep, int kRows, int kKeys, bool kShifted>
inline void lastTile(const NeighborBlock& b, TileAt t, int keys) {
  if constexpr (kKeys > 0) {
    if (keys == kKeys)
      tile<kStep, kRows, kKeys, kShifted>(b, t);
    else
      lastTile<kStep, kRows, kKeys - 1, kShifted>(b, t, keys);
  }
}

template <Step kStep, int kRows, bool kShifted>
void walkRun(const NeighborBlock& b, const SharedRows& run) {
  for (int row = run.begin; row < run.end; ++row) {
    if (b.ahead) b.ahead->ask();
    int e = 0;
    for (; e + kKeysTogether <= b.window; e += kKeysTogether)
      tile<kStep, kRows, kKeysTogether, kShifted>(b, {run.first, row, e});
    lastTile<kStep, kRows, kKeysTogether - 1, kShifted>(b, {run.first, row, e}, b.window - e);
  }
}

template <Step kStep, bool kShifted>
void walk(const NeighborBlock& b, const SharedRows* runs, int made) {
  for (int i = 0; i < made; ++i) {
    SharedRows run = runs[i];
    if constexpr (kStep == Step::kAddCarefully) {  // rare: one row at a time
      for (int n = run.count; n > 0; --n, ++run.first) walkRun<kStep, 1, kShifted>(b, run);
    } else {
      if (run.count == 1) walkRun<kStep, 1, kShifted>(b, run);
      if (run.count == 2) walkRun<kStep, 2, kShifted>(b, run);
      if (run.count == 3) walkRun<kStep, 3, kShifted>(b, run);
    }
  }
}

template <bool kShifted>
void attendNeighbors(const NeighborBlock& b) {
  SharedRows runs[2 * kMostNeighborRows];
  const int made = sharedRuns(b, runs);
  walk<Step::kScore, kShifted>(b, runs, made);
  Vec share[kRowsTogether];
  for (int r = 0; r < b.rows; ++r) {
    float* scores = weightsOf(b, r, b.begin[r]);
    const int count = (b.end[r] - b.begin[r]) * b.window;
    if (b.addend[r]) addAddend(b.addend[r], count, scores);
    share[r] = b.careful ? weighScores<true>(scores, count, b.lse[r])
                         : weighScores<false>(scores, count, b.lse[r]);
    for (int c = 0; c < b.valueDepth; ++c) Vec::zero().store(b.out[r] + c * b.outStep);
  }
  if (b.careful)
    walk<Step::kAddCarefully, kShifted>(b, runs, made);
  else
    walk<Step::kAddValues, kShifted>(b, runs, made);
  for (int r = 0; r < b.rows; ++r)
    for (int c = 0; c < b.valueDepth; ++c) {
      float* out = b.out[r] + c * b.outStep;
      (Vec::load(out) * share[r]).store(out);
    }
}

void attend(const NeighborBlock& b) {
  if (b.shifted)
    attendNeighbors<true>(b);
  else
    attendNeighbors<false>(b);
}

// Where a window may begin, so that the vectors above hold its keys.
inline constexpr int kReach = 2 * kLanes - (kTwoHoldTile ? kKeysTogether : 1);
inline constexpr NeighborTile kNeighborTile{kLanes, kRowsTogether, kKeysTogether, kReach, attend};
