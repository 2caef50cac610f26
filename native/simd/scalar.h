// One lane of portable C++: what every other instruction set must mean, and the fallback where there
// is none. Deliberately without fused multiply-adds (fma rounds twice here): in software they cost a
// hundred times a multiplication.
struct Mask {
  bool m;
  static Mask firstLanes(int n) { return {n > 0}; }                     // lanes [0, n)
  static Mask between(int lo, int hi) { return {lo <= 0 && hi > 0}; }   // lanes [lo, hi)
  static Mask ofBytes(const uint8_t* p) { return {*p != 0}; }           // lane i: p[i] != 0
  static Mask ofBytesPartial(const uint8_t* p, int n) { return {n > 0 && *p != 0}; }
  friend Mask operator&(Mask a, Mask b) { return {a.m && b.m}; }
  friend Mask operator|(Mask a, Mask b) { return {a.m || b.m}; }
  Mask operator~() const { return {!m}; }
  bool any() const { return m; }
  bool all() const { return m; }
};

struct Vec {
  static constexpr int kLanes = 1;
  static constexpr int kRegisters = 16;
  float v;

  static Vec zero() { return {0.0f}; }
  static Vec set(float x) { return {x}; }
  static Vec iota() { return {0.0f}; }                 // lane i holds i
  static Vec load(const float* p) { return {*p}; }     // any alignment
  // The first n lanes (0 <= n <= kLanes), the others 0; reads nothing behind them.
  static Vec loadPartial(const float* p, int n) { return {n > 0 ? *p : 0.0f}; }
  void store(float* p) const { *p = v; }
  void storePartial(float* p, int n) const {
    if (n > 0) *p = v;
  }

  friend Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
  friend Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
  friend Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
  friend Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
  static Vec fma(Vec a, Vec b, Vec c) { return {a.v * b.v + c.v}; }    // a b + c
  static Vec fnma(Vec a, Vec b, Vec c) { return {c.v - a.v * b.v}; }   // c - a b
  // Where either is NaN, the second: max(limit, x) keeps a NaN of x, max(x, limit) drops it.
  static Vec min(Vec a, Vec b) { return {a.v < b.v ? a.v : b.v}; }
  static Vec max(Vec a, Vec b) { return {a.v > b.v ? a.v : b.v}; }
  static Vec abs(Vec a) { return {__builtin_fabsf(a.v)}; }
  static Vec negate(Vec a) { return {-a.v}; }
  static Vec copySign(Vec magnitude, Vec sign) { return {__builtin_copysignf(magnitude.v, sign.v)}; }
  static Vec sqrt(Vec a) { return {__builtin_sqrtf(a.v)}; }
  static Vec round(Vec a) { return {__builtin_rintf(a.v)}; }           // to nearest, ties to even
  static Vec floor(Vec a) { return {__builtin_floorf(a.v)}; }
  // a 2^n for integral n in [-127, 127] and |a| in [0.5, 4]; 2^-127 may give 0.
  static Vec scaleByPowerOf2(Vec a, Vec n) {
    union {
      int32_t i;
      float f;
    } power{(int32_t(n.v) + 127) << 23};
    return {a.v * power.f};
  }

  static Mask equal(Vec a, Vec b) { return {a.v == b.v}; }             // false where NaN
  static Mask less(Vec a, Vec b) { return {a.v < b.v}; }
  static Mask lessEqual(Vec a, Vec b) { return {a.v <= b.v}; }
  static Mask isNan(Vec a) { return {a.v != a.v}; }
  static Vec select(Mask m, Vec yes, Vec no) { return m.m ? yes : no; }

  float sum() const { return v; }                                      // of the lanes, fixed order
  float maximum() const { return v; }

  static void transpose(Vec (&)[kLanes]) {}                            // r[i] lane j <-> r[j] lane i
};
