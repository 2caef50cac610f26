// kLanes rows from column k on, of which `count` rows and `columns` columns are there, as kLanes
// columns. Where a vector is wider than the block (kStrip under AVX-512) it spills into the next
// row, which is written after it; only the last row of the block must be cut.
template <int kWidth>
inline void transposePart(const float* const* rows, int64_t k, int count, int columns, bool last,
                          Vec scale, float* to) {
  Vec r[Vec::kLanes];
  for (int i = 0; i < Vec::kLanes; ++i) {
    r[i] = i < count ? Vec::loadPartial(rows[i] + k, columns) * scale : Vec::zero();
  }
  Vec::transpose(r);
  for (int i = 0; i < columns; ++i) {
    if (kWidth < Vec::kLanes && last && i == columns - 1) {
      r[i].storePartial(to + i * kWidth, kWidth);
    } else {
      r[i].store(to + i * kWidth);
    }
  }
}

// The same where everything is there.
template <int kWidth>
inline void transposeWhole(const float* const* rows, int64_t k, Vec scale, float* to) {
  Vec r[Vec::kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < Vec::kLanes; ++i) r[i] = Vec::load(rows[i] + k) * scale;
  Vec::transpose(r);
#pragma GCC unroll 16
  for (int i = 0; i < Vec::kLanes; ++i) r[i].store(to + i * kWidth);
}

// Columns [k, k + 2 kWidth) of kWidth rows, where a vector holds two rows of the block: the second
// half of the columns rides in the upper registers. Each store spills half a vector over a
// neighbour that is written after it, hence the order.
template <int kWidth>
inline void transposePair(const float* const* rows, int64_t k, Vec scale, float* to) {
  constexpr int kLanes = Vec::kLanes;
  Vec r[kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kWidth; ++i) {
    r[i] = Vec::load(rows[i] + k) * scale;
    r[i + kWidth] = Vec::load(rows[i] + k + kLanes) * scale;
  }
  Vec::transpose(r);
#pragma GCC unroll 16
  for (int i = kLanes - 1; i >= 0; --i) r[i].store(to + (kLanes + i - 1) * kWidth);
#pragma GCC unroll 16
  for (int i = 0; i < kLanes - 1; ++i) r[i].store(to + i * kWidth);
  r[kLanes - 1].storePartial(to + (kLanes - 1) * kWidth, kWidth);
}

template <int kWidth>
inline void transposeRows(const float* const* rows, int count, int64_t depth, Vec scale,
                          float* to) {
  constexpr int kLanes = Vec::kLanes;
  constexpr int kGroups = (kWidth + kLanes - 1) / kLanes;
  int64_t k = 0;
  if constexpr (2 * kWidth == kLanes) {
    if (count == kWidth) {
      for (; k + 2 * kLanes <= depth; k += 2 * kLanes)
        transposePair<kWidth>(rows, k, scale, to + k * kWidth);
    }
  }
  for (; k < depth; k += kLanes) {
    const int columns = depth - k < kLanes ? int(depth - k) : kLanes;
    for (int group = 0; group < kGroups; ++group) {
      const int first = group * kLanes;
      float* block = to + k * kWidth + first;
      if (count - first >= kLanes && columns == kLanes) {
        transposeWhole<kWidth>(rows + first, k, scale, block);
      } else {
        transposePart<kWidth>(rows + first, k, count - first, columns, k + columns == depth, scale,
                              block);
      }
    }
  }
}

template <int kWidth>
inline void copyNeighbours(const float* first, int64_t step, int count, int64_t depth, Vec scale,
                           float* to) {
  constexpr int kLanes = Vec::kLanes;
  for (int64_t k = 0; k < depth; ++k, first += step, to += kWidth) {
    int j = 0;
    for (; j + kLanes <= kWidth; j += kLanes) {
      const Vec v =
          j + kLanes <= count ? Vec::load(first + j) : Vec::loadPartial(first + j, count - j);
      (v * scale).store(to + j);
    }
    if (j < kWidth) {
      (Vec::loadPartial(first + j, count - j) * scale).storePartial(to + j, kWidth - j);
    }
  }
}

template <int kWidth>
inline void gatherRows(const float* const* rows, int64_t step, int count, int64_t depth,
                       float scale, float* to) {
  for (int64_t k = 0; k < depth; ++k, to += kWidth) {
    for (int j = 0; j < count; ++j) to[j] = rows[j][k * step] * scale;
    for (int j = count; j < kWidth; ++j) to[j] = 0;
  }
}

inline bool areNeighbours(const float* const* rows, int count) {
  for (int j = 1; j < count; ++j) {
    if (rows[j] != rows[0] + j) return false;
  }
  return count > 0;
}

template <int kWidth>
void packRows(const float* const* rows, int64_t step, int count, int64_t depth, float scale,
              float* to) {
  if (step == 1 && depth > 1) {
    transposeRows<kWidth>(rows, count, depth, Vec::set(scale), to);
  } else if (areNeighbours(rows, count)) {
    copyNeighbours<kWidth>(rows[0], step, count, depth, Vec::set(scale), to);
  } else {
    gatherRows<kWidth>(rows, step, count, depth, scale, to);
  }
}

inline constexpr Pack kPack{packRows<kPanel>, packRows<kStrip>, packRows<kColumn>};
