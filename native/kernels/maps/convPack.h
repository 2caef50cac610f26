// Lays planes of a map out for convTile: rows at a fixed pitch, zeros where the padding is, and,
// under a stride, the positions of one tap side by side.
#pragma once
#include <cstdint>

namespace fovea {

struct ConvPlanes {
  // The first plane that is read, by its strides; rows and columns outside of it are padding. The
  // other channels' lie at channelStride.
  const float* from;
  int64_t channels, channelStride;
  int64_t rowStride, columnStride;
  int64_t height, width;
  // How far behind the same elements of the next plane lie, which are asked for meanwhile; or 0.
  int64_t ahead;
  // to[j * pitch + i] = element (row + j * rowStep, column + i * columnStep), j < rows, i <
  // columns. A pitch below `columns` lets the zeros at the end of a row be those at the start of
  // the next.
  float* to;
  int64_t toStride;  // from a channel to the next
  int64_t row, rowStep, rows;
  int64_t column, columnStep, columns;
  int64_t pitch;
  // What is applied to every element that is read, but not to the padding:
  //   max(least, (x - centre) * scale + shift)
  // with the channel's own, 0, 1 and 0 where there are none.
  bool transforms;
  const float *centre, *scale, *shift;
  float least;
};

struct ConvPack {
  // A load and a store a vector where columns that follow each other are adjacent in memory or
  // every second one; otherwise element by element.
  void (*planes)(const ConvPlanes&);
};

const ConvPack& convPack();

}  // namespace fovea
