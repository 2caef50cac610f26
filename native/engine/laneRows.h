// Rows of maps laid out with a row of its own in every lane.
#pragma once
#include <algorithm>

#include "core/ceilDiv.h"
#include "core/scratch.h"
#include "engine/gatherTokens.h"
#include "engine/latticeLanes.h"
#include "kernels/laneTile.h"
#include "kernels/tokensAhead.h"

namespace fovea {

class LaneRows {
 public:
  // Which vectors are neighbours: positions of one element, or elements of one position.
  enum class Beside { kPositions, kElements };

  LaneRows(Beside beside, int64_t positions, int64_t depth, int64_t rows, Scratch& scratch)
      : positions_(positions), depth_(depth) {
    // An odd number of pieces, so that those at equal places spread over all sets of a cache.
    const int64_t lanes = laneTile().lanes;
    if (beside == Beside::kPositions) {
      positionStep_ = lanes;
      elementStep_ = (positions | 1) * lanes;
    } else {
      positionStep_ = (ceilDiv(depth, kPiece) | 1) * kPiece * lanes;
      elementStep_ = lanes;
    }
    rowFloats_ = beside == Beside::kPositions ? depth * elementStep_ : positions * positionStep_;
    data_ = scratch.floats(rows * rowFloats_);
    tokens_ = scratch.array<float*>(positions * lanes);
    std::fill(tokens_, tokens_ + positions * lanes, nullptr);
  }
  // Where the token of a lane, of whatever float type, stands in the row of a map at offset 0; null
  // where it has none.
  float*& token(int64_t position, int64_t lane) const {
    return tokens_[position * laneTile().lanes + lane];
  }
  float* at(int64_t row) const { return data_ + row * rowFloats_; }
  int64_t step() const { return std::max(positionStep_, elementStep_); }

  // Lanes without a token get zeros. What was not asked for before is, some positions ahead.
  void load(int64_t row, const LatticeMap& map, int64_t z, int64_t y, bool asked) const {
    for (int64_t p = 0; p < positions_; ++p) {
      if (!asked && map.inner == 1 && p + kNear < positions_) prefetch(p + kNear, map, z, y);
      gatherTokens(&token(p, 0), map.dtype, map.offset(z, y), map.inner, depth_,
                   at(row) + p * positionStep_, elementStep_);
    }
  }
  void store(int64_t row, const LatticeMap& map, int64_t z, int64_t y) const {
    for (int64_t p = 0; p < positions_; ++p)
      laneTile().scatter(at(row) + p * positionStep_, elementStep_, depth_, &token(p, 0),
                         map.offset(z, y), map.inner);
  }
  // Lists the tokens [p.begin, p.end) of a row that will be loaded or stored: those of lanes beside
  // each other as one.
  void foresee(Interval p, const LatticeMap& map, int64_t z, int64_t y, TokenRow*& list) const {
    if (map.inner != 1) return;
    const int64_t width = byteSize(map.dtype);
    const TokenRow* first = list;
    for (int64_t lane = 0; lane < laneTile().lanes; ++lane) {
      const char* token = place(p.begin, lane, map, z, y);
      if (!token) continue;
      if (list > first && list[-1].first + list[-1].bytes == token)
        list[-1].bytes += depth_ * width;
      else
        *list++ = {token, map.strides[2] * width, p.end - p.begin, depth_ * width};
    }
  }

 private:
  static constexpr int64_t kPiece = 8;
  static constexpr int64_t kNear = 4;  // positions asked for ahead

  // The bytes of a token in a row of the map; null where there is none.
  const char* place(int64_t position, int64_t lane, const LatticeMap& map, int64_t z,
                    int64_t y) const {
    float* token = this->token(position, lane);
    if (!token) return nullptr;
    return static_cast<const char*>(elementAt(token, map.dtype, map.offset(z, y)));
  }

  // To the processor the lanes are too many streams.
  void prefetch(int64_t position, const LatticeMap& map, int64_t z, int64_t y) const {
    constexpr int64_t kLine = 64;
    const int64_t bytes = depth_ * byteSize(map.dtype);
    for (int64_t lane = 0; lane < laneTile().lanes; ++lane)
      if (const char* token = place(position, lane, map, z, y))
        for (int64_t k = 0; k < bytes; k += kLine) __builtin_prefetch(token + k, 0, 2);
  }

  int64_t positions_, depth_, positionStep_, elementStep_, rowFloats_;
  float* data_;
  float** tokens_;  // [position][lane]
};

}  // namespace fovea
