// Rows of maps laid out with a row of its own in every lane.
#pragma once
#include <algorithm>

#include "core/ceilDiv.h"
#include "core/scratch.h"
#include "engine/attention/gatherTokens.h"
#include "engine/attention/latticeLanes.h"
#include "kernels/attention/laneTile.h"
#include "kernels/attention/tokensAhead.h"

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

  // Lanes without a token get zeros. Nothing is asked for beforehand: a token that lies beside the
  // one before comes by itself, and what is asked for meanwhile delays the products by as much.
  void load(int64_t row, const LatticeMap& map, int64_t z, int64_t y) const {
    for (int64_t p = 0; p < positions_; ++p)
      gatherTokens(&token(p, 0), map.dtype, map.offset(z, y), map.inner, depth_,
                   at(row) + p * positionStep_, elementStep_);
  }
  void store(int64_t row, const LatticeMap& map, int64_t z, int64_t y) const {
    for (int64_t p = 0; p < positions_; ++p)
      laneTile().scatter(at(row) + p * positionStep_, elementStep_, depth_, &token(p, 0),
                         map.offset(z, y), map.inner);
  }
  // Lists the tokens of a row that will be stored: those of lanes beside each other as one.
  void foresee(const LatticeMap& map, int64_t z, int64_t y, TokenRow*& list) const {
    constexpr int64_t kWidth = sizeof(float);
    if (map.inner != 1) return;
    const TokenRow* first = list;
    for (int64_t lane = 0; lane < laneTile().lanes; ++lane) {
      if (!token(0, lane)) continue;
      const auto* at = reinterpret_cast<const char*>(token(0, lane) + map.offset(z, y));
      if (list > first && list[-1].first + list[-1].bytes == at)
        list[-1].bytes += depth_ * kWidth;
      else
        *list++ = {at, map.strides[2] * kWidth, positions_, depth_ * kWidth};
    }
  }

 private:
  static constexpr int64_t kPiece = 8;

  int64_t positions_, depth_, positionStep_, elementStep_, rowFloats_;
  float* data_;
  float** tokens_;  // [position][lane]
};

}  // namespace fovea
