// AArch64 NEON (ASIMD): 4 lanes, 32 registers. Masks are vectors of all-ones lanes.
// The names of simd/scalar.h, which says what each means.
struct Mask {
  uint32x4_t m;
  static Mask firstLanes(int n) {
    static constexpr int32_t kLane[4] = {0, 1, 2, 3};
    return {vcltq_s32(vld1q_s32(kLane), vdupq_n_s32(n))};
  }
  static Mask between(int lo, int hi) { return {vbicq_u32(firstLanes(hi).m, firstLanes(lo).m)}; }
  static Mask ofBytes(const uint8_t* p) {
    uint32_t bytes;
    __builtin_memcpy(&bytes, p, 4);
    return ofWord(bytes);
  }
  static Mask ofBytesPartial(const uint8_t* p, int n) {
    uint32_t bytes = 0;
    for (int i = 0; i < n && i < 4; ++i) bytes |= uint32_t(p[i]) << (8 * i);
    return ofWord(bytes);
  }
  Mask operator&(Mask b) const { return {vandq_u32(m, b.m)}; }
  Mask operator|(Mask b) const { return {vorrq_u32(m, b.m)}; }
  Mask operator~() const { return {vmvnq_u32(m)}; }
  bool any() const { return vmaxvq_u32(m) != 0; }
  bool all() const { return vminvq_u32(m) != 0; }

 private:
  static Mask ofWord(uint32_t bytes) {
    const uint8x8_t b = vcreate_u8(bytes);
    const uint32x4_t wide = vmovl_u16(vget_low_u16(vmovl_u8(b)));
    return {vtstq_u32(wide, wide)};
  }
};

struct Vec {
  static constexpr int kLanes = 4;
  static constexpr int kRegisters = 32;
  float32x4_t v;

  static Vec zero() { return {vdupq_n_f32(0)}; }
  static Vec set(float x) { return {vdupq_n_f32(x)}; }
  static Vec iota() {
    static constexpr float kLane[4] = {0, 1, 2, 3};
    return {vld1q_f32(kLane)};
  }
  static Vec load(const float* p) { return {vld1q_f32(p)}; }
  static Vec loadOnce(const float* p) {
    Vec x = load(p);
    FOVEA_KEEP_IN_REGISTER("w", x.v);
    return x;
  }
  static Vec loadPartial(const float* p, int n) {
    const float32x2_t none = vdup_n_f32(0);
    if (n >= 4) return load(p);
    if (n == 3) return {vcombine_f32(vld1_f32(p), vld1_lane_f32(p + 2, none, 0))};
    if (n == 2) return {vcombine_f32(vld1_f32(p), none)};
    if (n == 1) return {vcombine_f32(vld1_lane_f32(p, none, 0), none)};
    return zero();
  }
  static Vec loadFloat16(const uint16_t* p) {
    return {vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)))};
  }
  static Vec loadBfloat16(const uint16_t* p) {
    return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16))};
  }
  void store(float* p) const { vst1q_f32(p, v); }
  void stream(float* p) const { store(p); }
  static void endStream() {}
  void storePartial(float* p, int n) const {
    if (n >= 4) return store(p);
    if (n >= 2) vst1_f32(p, vget_low_f32(v));
    if (n == 3) vst1q_lane_f32(p + 2, v, 2);
    if (n == 1) vst1q_lane_f32(p, v, 0);
  }

  Vec operator+(Vec b) const { return {vaddq_f32(v, b.v)}; }
  Vec operator-(Vec b) const { return {vsubq_f32(v, b.v)}; }
  Vec operator*(Vec b) const { return {vmulq_f32(v, b.v)}; }
  Vec operator/(Vec b) const { return {vdivq_f32(v, b.v)}; }
  static Vec fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
  static Vec fnma(Vec a, Vec b, Vec c) { return {vfmsq_f32(c.v, a.v, b.v)}; }
  // Not fmin and fmax, which make a NaN of either: the second operand must win where one is NaN.
  static Vec min(Vec a, Vec b) { return {vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)}; }
  static Vec max(Vec a, Vec b) { return {vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v)}; }
  static Vec abs(Vec a) { return {vabsq_f32(a.v)}; }
  static Vec negate(Vec a) { return {vnegq_f32(a.v)}; }
  static Vec copySign(Vec magnitude, Vec sign) {
    return {vbslq_f32(vdupq_n_u32(0x80000000u), sign.v, magnitude.v)};
  }
  static Vec sqrt(Vec a) { return {vsqrtq_f32(a.v)}; }
  static Vec scaleByPowerOf2(Vec a, Vec n) {
    return joinPower(a, {vaddq_f32(n.v, vdupq_n_f32(kMagic))});
  }

  static constexpr bool kSplitsAll = false;
  static constexpr float kFractionLow = -0.5f;
  static constexpr float kMagic = 0x1.8p23f + 127;
  static Vec splitPower(Vec x, Vec& power) {
    power.v = vaddq_f32(x.v, vdupq_n_f32(kMagic));
    return {vsubq_f32(x.v, vsubq_f32(power.v, vdupq_n_f32(kMagic)))};
  }
  static Vec joinPower(Vec y, Vec power) {
    const uint32x4_t scale = vshlq_n_u32(vreinterpretq_u32_f32(power.v), 23);
    return {vmulq_f32(y.v, vreinterpretq_f32_u32(scale))};
  }
  static Vec splitExponent(Vec x, Vec& e) {
    const int32x4_t bits = vreinterpretq_s32_f32(x.v);
    const int32x4_t exponent = vshrq_n_s32(vsubq_s32(bits, vdupq_n_s32(0x3f3504f3)), 23);
    e.v = vcvtq_f32_s32(exponent);
    return {vreinterpretq_f32_s32(vsubq_s32(bits, vshlq_n_s32(exponent, 23)))};
  }
  static Vec productError(Vec a, Vec b, Vec ab) { return {vfmaq_f32(vnegq_f32(ab.v), a.v, b.v)}; }

  static Mask equal(Vec a, Vec b) { return {vceqq_f32(a.v, b.v)}; }
  static Mask less(Vec a, Vec b) { return {vcltq_f32(a.v, b.v)}; }
  static Mask lessEqual(Vec a, Vec b) { return {vcleq_f32(a.v, b.v)}; }
  static Mask isNan(Vec a) { return {vmvnq_u32(vceqq_f32(a.v, a.v))}; }
  static Vec select(Mask m, Vec yes, Vec no) { return {vbslq_f32(m.m, yes.v, no.v)}; }

  float sum() const { return vaddvq_f32(v); }
  float maximum() const { return vmaxvq_f32(v); }

  static Vec pick(Vec a, Vec b, const int32_t* index, int32_t first) {
    const uint32x4_t from = vreinterpretq_u32_s32(vsubq_s32(vld1q_s32(index), vdupq_n_s32(first)));
    // Each index as those of its four bytes.
    const uint32x4_t bytes = vaddq_u32(vmulq_n_u32(from, 0x04040404u), vdupq_n_u32(0x03020100u));
    const uint8x16x2_t table = {vreinterpretq_u8_f32(a.v), vreinterpretq_u8_f32(b.v)};
    return {vreinterpretq_f32_u8(vqtbl2q_u8(table, vreinterpretq_u8_u32(bytes)))};
  }
  static Vec evens(Vec a, Vec b) { return {vuzp1q_f32(a.v, b.v)}; }
  static Vec odds(Vec a, Vec b) { return {vuzp2q_f32(a.v, b.v)}; }
  static Vec zipLow(Vec a, Vec b) { return {vzip1q_f32(a.v, b.v)}; }
  static Vec zipHigh(Vec a, Vec b) { return {vzip2q_f32(a.v, b.v)}; }

  // Rows become columns: r[i] lane j <- r[j] lane i.
  static void transpose(Vec (&r)[kLanes]) {
    const float32x4x2_t a = vtrnq_f32(r[0].v, r[1].v);
    const float32x4x2_t b = vtrnq_f32(r[2].v, r[3].v);
    r[0].v = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
    r[1].v = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
    r[2].v = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
    r[3].v = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
  }
  static void loadColumns(const float* const* rows, int64_t at, Vec (&r)[kLanes]) {
    for (int i = 0; i < kLanes; ++i) r[i] = load(rows[i] + at);
    transpose(r);
  }
};

struct WideSum {
  float64x2_t lo, hi;
  static WideSum zero() { return {vdupq_n_f64(0), vdupq_n_f64(0)}; }
  void add(Vec a) {
    lo = vaddq_f64(lo, vcvt_f64_f32(vget_low_f32(a.v)));
    hi = vaddq_f64(hi, vcvt_high_f64_f32(a.v));
  }
  void addSquare(Vec a) {
    const float64x2_t l = vcvt_f64_f32(vget_low_f32(a.v));
    const float64x2_t h = vcvt_high_f64_f32(a.v);
    lo = vfmaq_f64(lo, l, l);
    hi = vfmaq_f64(hi, h, h);
  }
  double total() const { return vaddvq_f64(vaddq_f64(lo, hi)); }
};
