// One lane of portable C++: what every other instruction set must mean, and the fallback where
// there is none. Deliberately without fused multiply-adds (fma rounds twice here): in software they
// cost a hundred times a multiplication.
struct Mask {
  bool m;
  static Mask firstLanes(int n) { return {n > 0}; }                    // lanes [0, n)
  static Mask between(int lo, int hi) { return {lo <= 0 && hi > 0}; }  // lanes [lo, hi)
  static Mask ofBytes(const uint8_t* p) { return {*p != 0}; }          // lane i: p[i] != 0
  static Mask ofBytesPartial(const uint8_t* p, int n) { return {n > 0 && *p != 0}; }
  Mask operator&(Mask b) const { return {m && b.m}; }
  Mask operator|(Mask b) const { return {m || b.m}; }
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
  static Vec iota() { return {0.0f}; }              // lane i holds i
  static Vec load(const float* p) { return {*p}; }  // any alignment
  // The same into a register, once: compilers repeat a load as the operand of every instruction
  // that uses it, which costs where it straddles cache lines.
  static Vec loadOnce(const float* p) { return load(p); }
  // The first n lanes (0 <= n <= kLanes), the others 0; reads nothing behind them.
  static Vec loadPartial(const float* p, int n) { return {n > 0 ? *p : 0.0f}; }
  // Elements of 16 bits, widened: exact, subnormal ones too.
  static Vec loadFloat16(const uint16_t* p) {
    const uint32_t sign = uint32_t(*p & 0x8000) << 16, rest = *p & 0x7fff;
    constexpr uint32_t kInfinity = 0x7c00, kLeastNormal = 0x400;
    if (rest < kLeastNormal) return {__builtin_copysignf(float(rest) * 0x1p-24f, ofBits(sign).v)};
    const uint32_t bias = rest < kInfinity ? 112 : 224;
    return ofBits(sign | ((rest << 13) + (bias << 23)));
  }
  static Vec loadBfloat16(const uint16_t* p) { return ofBits(uint32_t(*p) << 16); }
  void store(float* p) const { *p = v; }
  // Past the caches, to a multiple of kLanes floats; others see it behind endStream.
  void stream(float* p) const { *p = v; }
  static void endStream() {}
  void storePartial(float* p, int n) const {
    if (n > 0) *p = v;
  }

  Vec operator+(Vec b) const { return {v + b.v}; }
  Vec operator-(Vec b) const { return {v - b.v}; }
  Vec operator*(Vec b) const { return {v * b.v}; }
  Vec operator/(Vec b) const { return {v / b.v}; }
  static Vec fma(Vec a, Vec b, Vec c) { return {a.v * b.v + c.v}; }   // a b + c
  static Vec fnma(Vec a, Vec b, Vec c) { return {c.v - a.v * b.v}; }  // c - a b
  // Where either is NaN, the second: max(limit, x) keeps a NaN of x, max(x, limit) drops it.
  static Vec min(Vec a, Vec b) { return {a.v < b.v ? a.v : b.v}; }
  static Vec max(Vec a, Vec b) { return {a.v > b.v ? a.v : b.v}; }
  static Vec abs(Vec a) { return {__builtin_fabsf(a.v)}; }
  static Vec negate(Vec a) { return {-a.v}; }
  static Vec copySign(Vec magnitude, Vec sign) {
    return {__builtin_copysignf(magnitude.v, sign.v)};
  }
  static Vec sqrt(Vec a) { return {__builtin_sqrtf(a.v)}; }
  // a 2^n for integral n in [-127, 127] and |a| in [0.5, 4]; 2^-127 may give 0. NaN where a is.
  static Vec scaleByPowerOf2(Vec a, Vec n) {
    constexpr float kMagic = 0x1.8p23f + 127;  // the sum ends in n + 127, the exponent of 2^n
    return {a.v * __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, n.v + kMagic) << 23)};
  }

  // The two ends of 2^x, each as cheap as the instruction set makes it. Split: x = n + f with n
  // integral and f in [kFractionLow, kFractionLow + 1]; returns f. Join: y 2^n, y in [0.5, 2].
  // x in [-127, 127.4], where n = -127 gives exactly 0; or any x, with 2^-inf = 0 and 2^inf = inf,
  // where kSplitsAll. NaN stays NaN.
  static constexpr bool kSplitsAll = false;
  static constexpr float kFractionLow = -0.5f;
  static Vec splitPower(Vec x, Vec& power) {
    constexpr float kMagic = 0x1.8p23f + 127;
    power.v = x.v + kMagic;
    return {x.v - (power.v - kMagic)};
  }
  static Vec joinPower(Vec y, Vec power) {
    return {y.v * __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, power.v) << 23)};
  }
  // x = m 2^e with m in [sqrt(1/2), sqrt(2)), for normal positive x; returns m. Others: anything.
  static Vec splitExponent(Vec x, Vec& e) {
    constexpr uint32_t kSqrtHalf = 0x3f3504f3;
    const uint32_t bits = __builtin_bit_cast(uint32_t, x.v);
    const int32_t exponent = int32_t(bits - kSqrtHalf) >> 23;
    e.v = float(exponent);
    return {__builtin_bit_cast(float, bits - (uint32_t(exponent) << 23))};
  }
  // The rounding error of ab = a * b, exactly (where it is representable).
  static Vec productError(Vec a, Vec b, Vec ab) {
    return {float(double(a.v) * double(b.v) - double(ab.v))};
  }

  static Mask equal(Vec a, Vec b) { return {a.v == b.v}; }  // false where NaN
  static Mask less(Vec a, Vec b) { return {a.v < b.v}; }
  static Mask lessEqual(Vec a, Vec b) { return {a.v <= b.v}; }
  static Mask isNan(Vec a) { return {a.v != a.v}; }
  static Vec select(Mask m, Vec yes, Vec no) { return m.m ? yes : no; }

  float sum() const { return v; }      // of the lanes, fixed order
  float maximum() const { return v; }  // anything where a lane is NaN

  // Lane i: element index[i] - first of the lanes of a followed by those of b.
  static Vec pick(Vec a, Vec b, const int32_t* index, int32_t first) {
    return *index == first ? a : b;
  }
  // Of the lanes of a followed by those of b: every second one, from the first or the second.
  static Vec evens(Vec a, Vec) { return a; }
  static Vec odds(Vec, Vec b) { return b; }
  // a0 b0 a1 b1 ...: the first kLanes of it and the others.
  static Vec zipLow(Vec a, Vec) { return a; }
  static Vec zipHigh(Vec, Vec b) { return b; }

  static void transpose(Vec (&)[kLanes]) {}  // r[i] lane j <-> r[j] lane i
  // r[i] lane j: rows[j][at + i], transposed on the way in.
  static void loadColumns(const float* const* rows, int64_t at, Vec (&r)[kLanes]) {
    r[0] = load(rows[0] + at);
  }

 private:
  static Vec ofBits(uint32_t bits) { return {__builtin_bit_cast(float, bits)}; }
};

// A sum of many floats in float64: sums of float32 stay exact as long as 29 bits hold their count
// and spread, so a mean is right to the last bit whatever the order of magnitude it sits on.
struct WideSum {
  double s;
  static WideSum zero() { return {0.0}; }
  void add(Vec a) { s += double(a.v); }
  void addSquare(Vec a) { s += double(a.v) * double(a.v); }
  double total() const { return s; }
};
