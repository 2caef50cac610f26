// The register tiles of attention: scores of a panel of queries, and values weighed by them.
constexpr int kLanes = Vec::kLanes;
constexpr int kSpan = 3;  // vectors of queries that a register tile spans
constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Exponents may exceed the shift by this much before everything is rescaled: p stays below 2^8, and
// most blocks after the first leave the shift alone.
constexpr float kSlack = 8.0f;
// A shift foreseen too high by more than this comes down: scores would lose digits on the way.
constexpr float kDepth = 16.0f;

inline int fewer(int a, int b) { return a < b ? a : b; }

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
constexpr int kTileColumns = Vec::kRegisters == 32 ? (kVecs == 1   ? 16
                                                      : kVecs == 2 ? 12
                                                                   : 8)
                                                   : kTileRows<kVecs>;

// Memory to ask for, a few rows with every register tile: all at once they would hold up the loads
// that the products wait for. (Within the loops it costs a tenth: every two keys, or every 16.)
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

// acc[j][i] += sum_k rows[j][k] panel[k][i] for kRows keys and kVecs vectors of queries, all of it
// in registers.
template <int kRows, int kVecs>
[[gnu::always_inline]] inline void multiplyTile(const float* panel, const float* const* rows,
                                                int depth, Vec (&acc)[kRows][kVecs]) {
  const float* row[kRows];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) row[r] = rows[r];
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

// The scores of kRows keys, which begin at `start`, by way of memory.
template <int kRows, int kVecs>
inline void scoreTile(const float* panel, const float* const* rows, int depth, const Vec* start,
                      float* scores) {
  Vec acc[kRows][kVecs];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kVecs; ++c) acc[r][c] = start[c];
  }
  multiplyTile(panel, rows, depth, acc);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kVecs; ++c) acc[r][c].store(scores + r * kPanel + c * kLanes);
  }
}

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
    FOVEA_KEEP_IN_REGISTER("r", value);  // or compilers carry an offset for each column
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

// Plain scores, to which terms apply.
template <int kVecs>
void scoreRun(const AttendBlock& b, int group, int begin, int end, Ahead& ahead) {
  constexpr int kRows = kTileRows<kVecs>;
  const Vec start[kVecs] = {};
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
