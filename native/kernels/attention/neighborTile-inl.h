#include "kernels/attention/laneWeights-inl.h"

// Queries and keys of a register tile of scores: 3 x 7 sums and 4 operands of 32 registers, 3 x 4
// and 4 of 16.
inline constexpr int kQueriesTogether = 3;
inline constexpr int kKeysTogether = kWideFile ? 7 : 4;
// Queries of a register tile of values, and channels for some of them: 5 x 5, 4 x 6 or 3 x 8 sums
// of 32 registers, 3 x 4 of 16.
inline constexpr int kWeightsTogether = kWideFile ? 5 : 3;
inline constexpr int channelsTogether(int queries) {
  if (!kWideFile) return 4;
  return queries > 3 ? 25 / queries : 8;
}

// That many things in parts of about equal size, none larger than `most`: the next one.
inline int nextPart(int left, int most) {
  const int parts = (left + most - 1) / most;
  return (left + parts - 1) / parts;
}

inline int64_t scoresOf(const NeighborBlock& b, int x) {
  return int64_t{x} * b.keyRows * b.window * kLanes;
}
template <int kApart>
inline int windowAt(const NeighborBlock& b, int x) {
  return kApart == 1 ? x : x - x % b.stride;
}
inline int keysOf(const NeighborBlock& b, int x) {
  return b.grows ? b.window - (b.stride - 1 - x % b.stride) : b.window;
}

// Queries x, x + 1, ... and keys e, e + 1, ... of their windows, which begin kApart apart.
template <int kApart, int kQueries, int kKeys>
void scoreTile(const NeighborBlock& b, int x, int row, int e) {
  Vec sum[kQueries][kKeys];
#pragma GCC unroll 8
  for (int m = 0; m < kQueries; ++m) {
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) sum[m][j] = Vec::zero();
  }
  const float* query = b.query + x * kLanes;
  const float* key = b.key[row] + (windowAt<kApart>(b, x) + e) * kLanes;
  const int64_t queryStep = b.queryStep, keyStep = b.keyStep;
#pragma GCC unroll 2
  for (int k = b.depth; k > 0; --k, query += queryStep, key += keyStep) {
    Vec q[kQueries];
#pragma GCC unroll 8
    for (int m = 0; m < kQueries; ++m) q[m] = Vec::loadOnce(query + m * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kKeys + kApart * (kQueries - 1); ++i) {
      const Vec y = Vec::loadOnce(key + i * kLanes);
#pragma GCC unroll 8
      for (int m = 0; m < kQueries; ++m) {
        const int j = i - m * kApart;
        if (j >= 0 && j < kKeys) sum[m][j] = Vec::fma(q[m], y, sum[m][j]);
      }
    }
  }
  const Vec scale = Vec::set(b.scale);
  const int64_t pitch = scoresOf(b, 1);
  float* to = b.scores + x * pitch + (row * keysOf(b, x) + e) * kLanes;
#pragma GCC unroll 8
  for (int m = 0; m < kQueries; ++m) {
#pragma GCC unroll 8
    for (int j = 0; j < kKeys; ++j) (sum[m][j] * scale).store(to + m * pitch + j * kLanes);
  }
}

// Channels c, c + 1, ... of the results of queries x, x + 1, ...
template <int kApart, int kQueries, int kChannels>
void valueTile(const NeighborBlock& b, int x, int c) {
  Vec sum[kQueries][kChannels];
#pragma GCC unroll 8
  for (int m = 0; m < kQueries; ++m) {
#pragma GCC unroll 8
    for (int i = 0; i < kChannels; ++i) sum[m][i] = Vec::zero();
  }
  const int keys = keysOf(b, x);
  const int64_t pitch = scoresOf(b, 1), step = b.valueStep;
  const float* p = b.scores + x * pitch;
  for (int row = 0; row < b.keyRows; ++row, p += keys * kLanes) {
    const float* value = b.value[row] + windowAt<kApart>(b, x) * step + c * kLanes;
    const float* weight = p;
    // One position, which queries [kFirst, kEnd) see.
    const auto add = [&]<int kFirst, int kEnd>() {
      Vec w[kQueries];
#pragma GCC unroll 8
      for (int m = kFirst; m < kEnd; ++m)
        w[m] = Vec::loadOnce(weight + m * (pitch - kApart * kLanes));
#pragma GCC unroll 8
      for (int i = 0; i < kChannels; ++i) {
        const Vec v = Vec::loadOnce(value + i * kLanes);
#pragma GCC unroll 8
        for (int m = kFirst; m < kEnd; ++m) sum[m][i] = Vec::fma(w[m], v, sum[m][i]);
      }
      value += step;
      weight += kLanes;
    };
    constexpr int kAlone = kApart * (kQueries - 1);  // positions that not all of them see
    if constexpr (kAlone >= 1) add.template operator()<0, 1>();
    if constexpr (kAlone >= 2) add.template operator()<0, 2>();
    if constexpr (kAlone >= 3) add.template operator()<0, 3>();
    if constexpr (kAlone >= 4) add.template operator()<0, 4>();
    for (int e = kAlone; e < keys; ++e) add.template operator()<0, kQueries>();
    if constexpr (kAlone >= 4) add.template operator()<kQueries - 4, kQueries>();
    if constexpr (kAlone >= 3) add.template operator()<kQueries - 3, kQueries>();
    if constexpr (kAlone >= 2) add.template operator()<kQueries - 2, kQueries>();
    if constexpr (kAlone >= 1) add.template operator()<kQueries - 1, kQueries>();
  }
#pragma GCC unroll 8
  for (int m = 0; m < kQueries; ++m) {
    const Vec scale = Vec::load(b.shares + (x + m) * kLanes);
    float* out = b.out + (x + m) * b.outStep + c * kLanes;
#pragma GCC unroll 8
    for (int i = 0; i < kChannels; ++i) (sum[m][i] * scale).store(out + i * kLanes);
  }
}

template <int kApart, int kQueries, int kKeys = kKeysTogether>
void scoreSome(const NeighborBlock& b, int x, int row, int e, int keys) {
  if constexpr (kKeys > 0) {
    if (keys != kKeys) return scoreSome<kApart, kQueries, kKeys - 1>(b, x, row, e, keys);
    scoreTile<kApart, kQueries, kKeys>(b, x, row, e);
  }
}

template <int kApart, int kQueries, int kChannels = channelsTogether(kQueries)>
void addSome(const NeighborBlock& b, int x, int c, int channels) {
  if constexpr (kChannels > 0) {
    if (channels != kChannels) return addSome<kApart, kQueries, kChannels - 1>(b, x, c, channels);
    valueTile<kApart, kQueries, kChannels>(b, x, c);
  }
}

template <int kApart, int kQueries>
void scoreQueries(const NeighborBlock& b, int x, int row) {
  const int keys = keysOf(b, x);
  for (int e = 0, n; e < keys; e += n) {
    n = nextPart(keys - e, kKeysTogether);
    scoreSome<kApart, kQueries>(b, x, row, e, n);
  }
}

template <int kApart, int kQueries, class Work>
inline void workOnSome(int x, int queries, Work&& work) {
  if constexpr (kQueries > 0) {
    if (queries != kQueries) return workOnSome<kApart, kQueries - 1>(x, queries, work);
    work.template operator()<kApart, kQueries>(x);
  }
}

// Calls work.operator()<kApart, kQueries>(x) for the queries of a row, up to kMost at a time, of
// which the first and the last see a position in common.
template <int kMost, class Work>
inline void forQueries(const NeighborBlock& b, Work&& work) {
  for (int x = 0, n; x < b.positions; x += n) {
    const int left = b.positions - x;
    if (b.stride == 1) {
      n = nextPart(left, kMost < b.window ? kMost : b.window);
      workOnSome<1, kMost>(x, n, work);
    } else {
      const int together = b.stride - x % b.stride;
      n = b.grows ? 1 : nextPart(together < left ? together : left, kMost);
      workOnSome<0, kMost>(x, n, work);
    }
  }
}

inline void weighQuery(const NeighborBlock& b, int x) {
  float* scores = b.scores + scoresOf(b, x);
  const int keys = b.keyRows * keysOf(b, x);
  if (b.addend) addAddend(b.addend + scoresOf(b, x), keys, scores);
  weighScores(scores, keys, b.lse ? b.lse + x * kLanes : nullptr).store(b.shares + x * kLanes);
}

void attend(const NeighborBlock& b) {
  const auto ask = [&] {
    if (b.ahead) b.ahead->ask();
  };
  for (int row = 0; row < b.keyRows; ++row)
    forQueries<kQueriesTogether>(b, [&]<int kApart, int kQueries>(int x) {
      scoreQueries<kApart, kQueries>(b, x, row);
      ask();
    });
  // The first-level cache holds the weights of these queries while all channels are summed.
  forQueries<kWeightsTogether>(b, [&]<int kApart, int kQueries>(int x) {
    for (int m = 0; m < kQueries; ++m) {
      weighQuery(b, x + m);
      ask();
    }
    for (int c = 0, n; c < b.valueDepth; c += n) {
      n = nextPart(b.valueDepth - c, channelsTogether(kQueries));
      addSome<kApart, kQueries>(b, x, c, n);
      ask();
    }
  });
}

int64_t asks(const NeighborBlock& b) {
  const auto tiles = [](int of, int most) { return int64_t{(of + most - 1) / most}; };
  return b.positions + tiles(b.positions, kQueriesTogether) * b.keyRows +
         tiles(b.positions, kWeightsTogether) *
             tiles(b.valueDepth, channelsTogether(kWeightsTogether));
}

inline constexpr NeighborTile kNeighborTile{kLanes, attend, asks};
