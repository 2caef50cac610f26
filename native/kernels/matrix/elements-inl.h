// Elements as they lie in memory, a vector of them at a time: floats, or 16 bits that are widened,
// exactly, on their way into the register. `load` brings whole vectors, `loadPartial` the first n
// elements and zeros, from elements `step` apart.
struct Floats {
  using Element = float;
  static Vec load(const float* p) { return Vec::loadOnce(p); }
  static Vec loadPartial(const float* p, int n) { return Vec::loadPartial(p, n); }
};

template <Vec (*kLoad)(const uint16_t*)>
struct Widened {
  using Element = uint16_t;
  static Vec load(const uint16_t* p) { return kLoad(p); }
  static Vec loadPartial(const uint16_t* p, int n, int64_t step = 1) {
    uint16_t some[Vec::kLanes] = {};
    for (int lane = 0; lane < n; ++lane) some[lane] = p[lane * step];
    return kLoad(some);
  }
};

using Float16s = Widened<Vec::loadFloat16>;
using Bfloat16s = Widened<Vec::loadBfloat16>;
