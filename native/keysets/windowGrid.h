// Windows of a map, side by side from its first row and column on, cut at its far borders:
// locally-grouped attention.
#pragma once
#include <algorithm>
#include <cstdint>

#include "core/ceilDiv.h"

namespace fovea {

struct WindowGrid {
  int64_t height, width;              // of the map
  int64_t windowHeight, windowWidth;  // of a window

  int64_t down() const { return ceilDiv(height, windowHeight); }
  int64_t across() const { return ceilDiv(width, windowWidth); }
  int64_t count() const { return down() * across(); }

  // Its part inside the map.
  struct Window {
    int64_t top, left, height, width;
    int64_t tokens() const { return height * width; }
    // Its n-th token in reading order, as a token of a map of that width.
    int64_t token(int64_t n, int64_t mapWidth) const {
      return (top + n / width) * mapWidth + left + n % width;
    }
  };
  Window window(int64_t index) const {
    const int64_t top = index / across() * windowHeight, left = index % across() * windowWidth;
    return {top, left, std::min(windowHeight, height - top), std::min(windowWidth, width - left)};
  }
  // The tokens of a window, in reading order.
  void list(const Window& w, int32_t* to) const {
    for (int64_t n = 0; n < w.tokens(); ++n) to[n] = static_cast<int32_t>(w.token(n, width));
  }
  int64_t most() const { return std::min(windowHeight, height) * std::min(windowWidth, width); }
  // Positions of a window that lie beyond the map; as a float32 they need not be exact.
  double missing(const Window& w) const {
    return static_cast<double>(windowHeight) * static_cast<double>(windowWidth) -
           static_cast<double>(w.tokens());
  }
};

}  // namespace fovea
