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

inline constexpr ConvTile kConvTile{multiply};
