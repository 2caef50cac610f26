// Vectors of positions a register tile spans: with few rows it is wider, because fewer than 8 sums
// at a time cannot hide the latency of a multiply-add. 32 registers: 8 x 3, 4 x 6, 2 x 8, 1 x 12;
// 16 registers: 4 x 3 (8 rows are two tiles), 2 x 5, 1 x 8.
inline constexpr bool kManyRegisters = Vec::kRegisters >= 32;
inline constexpr int kMostRows = kManyRegisters ? 8 : 4;
template <int kRows>
inline constexpr int kTileVectors = kManyRegisters ? (kRows == 8   ? 3
                                                      : kRows == 4 ? 6
                                                      : kRows == 2 ? 8
                                                                   : 12)
                                                   : (kRows == 4   ? 3
                                                      : kRows == 2 ? 5
                                                                   : 8);

// Lines to be asked for, one with every step of k.
struct AheadSteps {
  const float* const* next;
  const float* const* end;
};

template <int kRows, int kVectors>
void multiplyTile(const ConvBlock& block, int row, int64_t position, AheadSteps& ahead) {
  Vec sum[kRows][kVectors];
  float* sums = block.sums + row * block.pitch + position;
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 12
    for (int v = 0; v < kVectors; ++v) {
      sum[r][v] = block.resume ? Vec::load(sums + r * block.pitch + v * Vec::kLanes) : Vec::zero();
    }
  }
  const float* map = block.map + position;
  const float* weights = block.weights + row;
  const int64_t* offsets = block.offsets;
  const int64_t depth = block.depth;
  const auto multiplyAdd = [&](int64_t k) {
    const float* from = map + offsets[k];
    Vec x[kVectors];
#pragma GCC unroll 12
    for (int v = 0; v < kVectors; ++v) x[v] = Vec::load(from + v * Vec::kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec w = Vec::set(weights[r]);
#pragma GCC unroll 12
      for (int v = 0; v < kVectors; ++v) sum[r][v] = Vec::fma(w, x[v], sum[r][v]);
    }
    weights += block.weightStep;
  };
  // A loop for each, for asking takes two more loads: where there is little to ask for, asking for
  // the last line again took 1.03 to 1.05 of the time, with AVX2 1.14 to 1.23.
  const float* const* lines = ahead.next;
  const int64_t asks = ahead.end - lines < depth ? ahead.end - lines : depth;
  int64_t k = 0;
  for (; k < asks; ++k) {
    __builtin_prefetch(lines[k], 0, 2);
    multiplyAdd(k);
  }
#pragma GCC unroll 4
  for (; k < depth; ++k) multiplyAdd(k);
  ahead.next = lines + asks;
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 12
    for (int v = 0; v < kVectors; ++v) sum[r][v].store(sums + r * block.pitch + v * Vec::kLanes);
  }
}

// The last `vectors` of a block, fewer than a whole tile.
template <int kRows, int kVectors>
inline void multiplyRemainder(const ConvBlock& block, int row, int64_t position, int64_t vectors,
                              AheadSteps& ahead) {
  if constexpr (kVectors > 0) {
    if (vectors == kVectors) {
      multiplyTile<kRows, kVectors>(block, row, position, ahead);
    } else {
      multiplyRemainder<kRows, kVectors - 1>(block, row, position, vectors, ahead);
    }
  }
}

template <int kRows>
void multiplyStrip(const ConvBlock& block, int row, AheadSteps& ahead) {
  constexpr int kVectors = kTileVectors<kRows>;
  int64_t vectors = (block.positions + Vec::kLanes - 1) / Vec::kLanes;
  int64_t position = 0;
  for (; vectors >= kVectors; vectors -= kVectors, position += kVectors * Vec::kLanes) {
    multiplyTile<kRows, kVectors>(block, row, position, ahead);
  }
  multiplyRemainder<kRows, kVectors - 1>(block, row, position, vectors, ahead);
}

void multiply(const ConvBlock& block) {
  AheadSteps ahead{block.ahead, block.ahead + block.aheadLines};
  int row = 0;
  for (; block.rows - row > 4; row += kMostRows) multiplyStrip<kMostRows>(block, row, ahead);
  switch (block.rows - row) {
    case 4:
    case 3:
      return multiplyStrip<4>(block, row, ahead);
    case 2:
      return multiplyStrip<2>(block, row, ahead);
    case 1:
      return multiplyStrip<1>(block, row, ahead);
    default:
      return;
  }
}

// Vectors of channels a tile of multiplyColumns spans, and how many positions: the sums, one vector
// of weights each and a broadcast fill the registers, and there are as many loads as half of the
// multiply-adds or fewer.
inline constexpr int kColumnVectors = kColumn / Vec::kLanes;
inline constexpr int kMostVectors = kColumnVectors > 1 && !kManyRegisters ? 2 : 4;
template <int kVectors>
inline constexpr int kTilePlaces = !kManyRegisters ? 12 / kVectors
                                   : kVectors == 4 ? 6
                                                   : 8;

template <int kVectors, int kPositions>
void multiplyPlaces(const ConvColumns& block, const float* weights, int64_t position, float* sums) {
  constexpr int kLanes = Vec::kLanes;
  const int64_t pitch = block.pitch, weightPitch = block.weightPitch, depth = block.depth;
  const int64_t* offsets = block.offsets;
  const float* map[kPositions];
  Vec sum[kPositions][kVectors];
#pragma GCC unroll 12
  for (int p = 0; p < kPositions; ++p) {
    map[p] = block.map + block.places[position + p];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sum[p][v] = block.resume ? Vec::load(sums + p * pitch + v * kLanes) : Vec::zero();
    }
  }
#pragma GCC unroll 2
  for (int64_t k = 0; k < depth; ++k, weights += kColumn) {
    const int64_t offset = offsets[k];
    Vec w[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      w[v] = Vec::load(weights + v / kColumnVectors * weightPitch + v % kColumnVectors * kLanes);
    }
#pragma GCC unroll 12
    for (int p = 0; p < kPositions; ++p) {
      const Vec x = Vec::set(map[p][offset]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[p][v] = Vec::fma(w[v], x, sum[p][v]);
    }
  }
#pragma GCC unroll 12
  for (int p = 0; p < kPositions; ++p) {
    FOVEA_KEEP_IN_REGISTER("r", sums);  // or compilers carry an address for each through the loop
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[p][v].store(sums + p * pitch + v * kLanes);
  }
}

// Lines to be asked for, `share` of them with every tile.
struct Ahead {
  const float* const* next;
  const float* const* end;
  int64_t share;

  void ask() {
    for (int64_t i = 0; i < share && next != end; ++i) __builtin_prefetch(*next++, 0, 2);
  }
};

// All positions for kVectors vectors of channels from `channel` on.
template <int kVectors>
void multiplyVectors(const ConvColumns& block, int channel, Ahead& ahead) {
  constexpr int kPositions = kTilePlaces<kVectors>, kHalf = kPositions / 2;
  const float* weights = block.weights + channel / kColumn * block.weightPitch + channel % kColumn;
  for (int64_t position = 0; position < block.positions; position += kPositions) {
    ahead.ask();
    float* sums = block.sums + position * block.pitch + channel;
    if (block.positions - position > kHalf) {
      multiplyPlaces<kVectors, kPositions>(block, weights, position, sums);
    } else {
      multiplyPlaces<kVectors, kHalf>(block, weights, position, sums);
    }
  }
}

// Steps that a tile takes before the next one. Those of 16 channels read the map four times as
// often for their multiply-adds: it must stay in the first-level cache, as their weights do.
inline constexpr int64_t kColumnSteps =
    kMostVectors * Vec::kLanes > kColumn ? int64_t{1} << 60 : 96;

void multiplySteps(const ConvColumns& block, Ahead& ahead) {
  int vectors = block.columns * kColumnVectors;
  int tiles = (vectors + kMostVectors - 1) / kMostVectors;
  // Tiles of nearly equal width: 5 vectors are 3 and 2.
  for (int channel = 0; tiles > 0; --tiles) {
    const int width = (vectors + tiles - 1) / tiles;
    switch (width) {
      case 4:
        multiplyVectors<kMostVectors>(block, channel, ahead);
        break;
      case 3:
        multiplyVectors < kMostVectors<3 ? kMostVectors : 3>(block, channel, ahead);
        break;
      case 2:
        multiplyVectors<2>(block, channel, ahead);
        break;
      default:
        multiplyVectors<1>(block, channel, ahead);
    }
    channel += width * Vec::kLanes;
    vectors -= width;
  }
}

void multiplyColumns(const ConvColumns& block) {
  const int64_t tiles = (block.columns * kColumnVectors + kMostVectors - 1) / kMostVectors;
  const int64_t visits = tiles * ((block.positions + 7) / 8);
  Ahead ahead{block.ahead, block.ahead + block.aheadLines,
              (block.aheadLines + visits - 1) / visits};
  ConvColumns steps = block;
  for (int64_t k = 0; k < block.depth; k += kColumnSteps) {
    const int64_t rest = block.depth - k;
    steps.depth = rest < kColumnSteps ? rest : kColumnSteps;
    multiplySteps(steps, ahead);
    steps.offsets += steps.depth;
    steps.weights += steps.depth * kColumn;
    steps.resume = true;
  }
}

// Rows of a tile of multiplyRows where the taps have as many, and the most vectors of each.
inline constexpr int kRowTile = 4;
inline constexpr int kRowVectors = kManyRegisters ? 4 : 2;

// Adds what is read under `steps` taps, of rows of the map that rows [kFirst, kEnd) of the tile
// meet: row 0 under these taps, row r under those r rows before.
template <int kFirst, int kEnd, int kRows, int kVectors>
[[gnu::always_inline]] inline void addTaps(const float* map, const int64_t* offsets, int64_t steps,
                                           const float* weights, int64_t rowWeights,
                                           Vec (&sum)[kRows][kVectors]) {
  for (int64_t k = 0; k < steps; ++k, weights += kStrip) {
    const float* from = map + offsets[k];
    Vec x[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) x[v] = Vec::loadOnce(from + v * Vec::kLanes);
#pragma GCC unroll 4
    for (int r = kFirst; r < kEnd; ++r) {
      const Vec w = Vec::set(*(weights - r * rowWeights));
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = Vec::fma(w, x[v], sum[r][v]);
    }
  }
}

// One slice of the map. Of its kRows + kernelRows - 1 rows the first meet one row of the tile more
// each, then come those that meet all, the last meet one fewer each: kRow counts these parts.
template <int kRow, int kRows, int kVectors>
[[gnu::always_inline]] inline void addSlice(const ConvRows& block, const float* map,
                                            const float* weights, Vec (&sum)[kRows][kVectors]) {
  const int64_t columns = block.kernelColumns, rowWeights = columns * kStrip;
  const int64_t whole = block.kernelRows - kRows + 1;  // rows that meet all
  if constexpr (kRow < kRows) {
    addTaps<0, kRow + 1>(map, block.offsets + kRow * columns,
                         kRow + 1 < kRows ? columns : whole * columns, weights + kRow * rowWeights,
                         rowWeights, sum);
  } else {
    // These lie behind the taps of row 0, but not of the tile's last row.
    constexpr int kLast = kRows - 1;
    const int64_t row = kRow - 1 + whole;
    addTaps<kRow - kLast, kRows>(map + kLast * block.mapPitch,
                                 block.offsets + (row - kLast) * columns, columns,
                                 weights + row * rowWeights, rowWeights, sum);
  }
  if constexpr (kRow + 1 < 2 * kRows - 1) addSlice<kRow + 1>(block, map, weights, sum);
}

template <int kRows, int kVectors>
void multiplyRowTile(const ConvRows& block, int64_t row, int64_t column, int lastLanes) {
  Vec sum[kRows][kVectors];
  float* sums = block.sums + row * block.pitch + column;
  const auto lanes = [&](int v) { return v + 1 < kVectors ? int(Vec::kLanes) : lastLanes; };
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sum[r][v] = block.resume
                      ? Vec::loadPartial(sums + r * block.pitch + v * Vec::kLanes, lanes(v))
                      : Vec::zero();
    }
  }
  const float* weights = block.weights;
  for (int64_t s = 0; s < block.slices; ++s) {
    addSlice<0>(block, block.map + s * block.slicePitch + row * block.mapPitch + column, weights,
                sum);
    weights += block.kernelRows * block.kernelColumns * kStrip;
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sum[r][v].storePartial(sums + r * block.pitch + v * Vec::kLanes, lanes(v));
    }
  }
}

// One tile of rows over their whole width.
template <int kRows, int kVectors = kRowVectors>
void multiplyRowTiles(const ConvRows& block, int64_t row, int64_t column = 0) {
  constexpr int64_t kSpan = kVectors * Vec::kLanes;
  for (; block.columns - column >= kSpan; column += kSpan) {
    multiplyRowTile<kRows, kVectors>(block, row, column, Vec::kLanes);
  }
  const int64_t rest = block.columns - column;
  if (rest > kSpan - Vec::kLanes) {
    multiplyRowTile<kRows, kVectors>(block, row, column, int(rest - kSpan + Vec::kLanes));
  } else if constexpr (kVectors > 1) {
    if (rest > 0) multiplyRowTiles<kRows, kVectors - 1>(block, row, column);
  }
}

// The last tile ends with the last row: but where sums are continued, rows may be computed twice.
template <int kRows>
void multiplyTilesOf(const ConvRows& block) {
  int64_t row = 0;
  for (; row + kRows <= block.rows; row += kRows) multiplyRowTiles<kRows>(block, row);
  if (row == block.rows) return;
  if (row > 0 && !block.resume) return multiplyRowTiles<kRows>(block, block.rows - kRows);
  for (; row < block.rows; ++row) multiplyRowTiles<1>(block, row);
}

void multiplyRows(const ConvRows& block) {
  switch (block.kernelRows) {
    case 1:
      return multiplyTilesOf<1>(block);
    case 2:
      return multiplyTilesOf<2>(block);
    case 3:
      return multiplyTilesOf<3>(block);
    default:
      return multiplyTilesOf<kRowTile>(block);
  }
}

inline constexpr ConvTile kConvTile{multiply, multiplyColumns, multiplyRows};
