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

template <int kRows, int kVectors>
void multiplyTile(const ConvBlock& block, int row, int64_t position) {
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
#pragma GCC unroll 4
  for (int64_t k = 0; k < depth; ++k) {
    const float* from = map + offsets[k];
    Vec x[kVectors];
#pragma GCC unroll 12
    for (int v = 0; v < kVectors; ++v) x[v] = Vec::load(from + v * Vec::kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec w = Vec::set(weights[k * kStrip + r]);
#pragma GCC unroll 12
      for (int v = 0; v < kVectors; ++v) sum[r][v] = Vec::fma(w, x[v], sum[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 12
    for (int v = 0; v < kVectors; ++v) sum[r][v].store(sums + r * block.pitch + v * Vec::kLanes);
  }
}

// The last `vectors` of a block, fewer than a whole tile.
template <int kRows, int kVectors>
inline void multiplyRemainder(const ConvBlock& block, int row, int64_t position, int64_t vectors) {
  if constexpr (kVectors > 0) {
    if (vectors == kVectors) {
      multiplyTile<kRows, kVectors>(block, row, position);
    } else {
      multiplyRemainder<kRows, kVectors - 1>(block, row, position, vectors);
    }
  }
}

template <int kRows>
void multiplyRows(const ConvBlock& block, int row) {
  constexpr int kVectors = kTileVectors<kRows>;
  int64_t vectors = (block.positions + Vec::kLanes - 1) / Vec::kLanes;
  int64_t position = 0;
  for (; vectors >= kVectors; vectors -= kVectors, position += kVectors * Vec::kLanes) {
    multiplyTile<kRows, kVectors>(block, row, position);
  }
  multiplyRemainder<kRows, kVectors - 1>(block, row, position, vectors);
}

void multiply(const ConvBlock& block) {
  int row = 0;
  for (; block.rows - row > 4; row += kMostRows) multiplyRows<kMostRows>(block, row);
  switch (block.rows - row) {
    case 4:
    case 3:
      return multiplyRows<4>(block, row);
    case 2:
      return multiplyRows<2>(block, row);
    case 1:
      return multiplyRows<1>(block, row);
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

void multiplyColumns(const ConvColumns& block) {
  int vectors = block.columns * kColumnVectors;
  int tiles = (vectors + kMostVectors - 1) / kMostVectors;
  const int64_t visits = tiles * ((block.positions + 7) / 8);
  Ahead ahead{block.ahead, block.ahead + block.aheadLines,
              (block.aheadLines + visits - 1) / visits};
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

inline constexpr ConvTile kConvTile{multiply, multiplyColumns};
