inline void copyRow(const float* from, float* to, int64_t n) {
  int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) Vec::load(from + i).store(to + i);
  if (i < n) Vec::loadPartial(from + i, int(n - i)).storePartial(to + i, int(n - i));
}

// One square: to[i toRow + j] = from[i + j fromColumn], i < height, j < width. A function of its
// own, for in a loop compilers carry an address for each of its 32 rows.
template <bool kWhole>
[[gnu::noinline]] void transposeSquare(const float* from, int64_t fromColumn, float* to,
                                       int64_t toRow, int height, int width) {
  constexpr int kLanes = Vec::kLanes;
  Vec square[kLanes];
#pragma GCC unroll 16
  for (int j = 0; j < kLanes; ++j) {
    const float* column = from + (kWhole || j < width ? j : width - 1) * fromColumn;
    square[j] = kWhole ? Vec::load(column) : Vec::loadPartial(column, height);
  }
  Vec::transpose(square);
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) {
    if (kWhole)
      square[i].store(to + i * toRow);
    else if (i < height)
      square[i].storePartial(to + i * toRow, width);
  }
}

// A square of kLanes at a time: every line of either side is touched once, whole.
inline void transposeTile(const float* from, int64_t fromColumn, float* to, int64_t toRow,
                          int64_t rows, int64_t columns) {
  constexpr int kLanes = Vec::kLanes;
  for (int64_t j = 0; j < columns; j += kLanes) {
    const int width = columns - j < kLanes ? int(columns - j) : kLanes;
    for (int64_t i = 0; i < rows; i += kLanes) {
      const int height = rows - i < kLanes ? int(rows - i) : kLanes;
      const float* square = from + i + j * fromColumn;
      if (height == kLanes && width == kLanes)
        transposeSquare<true>(square, fromColumn, to + i * toRow + j, toRow, height, width);
      else
        transposeSquare<false>(square, fromColumn, to + i * toRow + j, toRow, height, width);
    }
  }
}

void copyTile(const float* from, int64_t fromRow, int64_t fromColumn, float* to, int64_t toRow,
              int64_t toColumn, int64_t rows, int64_t columns) {
  if (toColumn != 1 && toRow == 1) {  // the same copy, seen with rows and columns exchanged
    return copyTile(from, fromColumn, fromRow, to, toColumn, toRow, columns, rows);
  }
  if (toColumn == 1 && fromColumn == 1) {
    for (int64_t i = 0; i < rows; ++i) copyRow(from + i * fromRow, to + i * toRow, columns);
  } else if (toColumn == 1 && fromRow == 1) {
    transposeTile(from, fromColumn, to, toRow, rows, columns);
  } else {
    for (int64_t i = 0; i < rows; ++i) {
      const float* source = from + i * fromRow;
      float* target = to + i * toRow;
      for (int64_t j = 0; j < columns; ++j) target[j * toColumn] = source[j * fromColumn];
    }
  }
}

inline constexpr Copy kCopy{copyTile};
