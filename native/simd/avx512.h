// AVX-512 F/BW/DQ/VL: 16 lanes, 32 registers, masked loads and stores without faults.
// The names of simd/scalar.h, which says what each means.
struct Mask {
  __mmask16 m;
  static Mask firstLanes(int n) {
    return {n >= 16 ? __mmask16(0xffff) : n <= 0 ? __mmask16(0) : __mmask16((1u << n) - 1)};
  }
  static Mask between(int lo, int hi) { return {__mmask16(firstLanes(hi).m & ~firstLanes(lo).m)}; }
  static Mask ofBytes(const uint8_t* p) {
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm_test_epi8_mask(b, b)};
  }
  static Mask ofBytesPartial(const uint8_t* p, int n) {
    const __m128i b = _mm_maskz_loadu_epi8(firstLanes(n).m, p);
    return {_mm_test_epi8_mask(b, b)};
  }
  Mask operator&(Mask b) const { return {__mmask16(m & b.m)}; }
  Mask operator|(Mask b) const { return {__mmask16(m | b.m)}; }
  Mask operator~() const { return {__mmask16(~m)}; }
  bool any() const { return m != 0; }
  bool all() const { return m == 0xffff; }
};

struct Vec {
  static constexpr int kLanes = 16;
  static constexpr int kRegisters = 32;
  __m512 v;

  static Vec zero() { return {_mm512_setzero_ps()}; }
  static Vec set(float x) { return {_mm512_set1_ps(x)}; }
  static Vec iota() {
    return {_mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)};
  }
  static Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Vec loadOnce(const float* p) {
    Vec x = load(p);
    FOVEA_KEEP_IN_REGISTER("v", x.v);
    return x;
  }
  static Vec loadPartial(const float* p, int n) {
    return {_mm512_maskz_loadu_ps(Mask::firstLanes(n).m, p)};
  }
  static Vec loadFloat16(const uint16_t* p) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
  }
  static Vec loadBfloat16(const uint16_t* p) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
  }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void stream(float* p) const { _mm512_stream_ps(p, v); }
  static void endStream() { _mm_sfence(); }
  void storePartial(float* p, int n) const { _mm512_mask_storeu_ps(p, Mask::firstLanes(n).m, v); }

  Vec operator+(Vec b) const { return {_mm512_add_ps(v, b.v)}; }
  Vec operator-(Vec b) const { return {_mm512_sub_ps(v, b.v)}; }
  Vec operator*(Vec b) const { return {_mm512_mul_ps(v, b.v)}; }
  Vec operator/(Vec b) const { return {_mm512_div_ps(v, b.v)}; }
  static Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  static Vec fnma(Vec a, Vec b, Vec c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
  static Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
  static Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
  static Vec abs(Vec a) { return {_mm512_abs_ps(a.v)}; }
  static Vec negate(Vec a) { return {_mm512_xor_ps(a.v, _mm512_set1_ps(-0.0f))}; }
  static Vec copySign(Vec magnitude, Vec sign) {
    return {_mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_set1_epi32(int(0x80000000u)),
                                                          _mm512_castps_si512(sign.v),
                                                          _mm512_castps_si512(magnitude.v), 0xca))};
  }
  static Vec sqrt(Vec a) { return {_mm512_sqrt_ps(a.v)}; }
  static Vec scaleByPowerOf2(Vec a, Vec n) { return {_mm512_scalef_ps(a.v, n.v)}; }

  static constexpr bool kSplitsAll = true;
  static constexpr float kFractionLow = 0.0f;
  static Vec splitPower(Vec x, Vec& power) {
    power = x;
    return {_mm512_reduce_ps(x.v, 9)};  // x - floor(x); 0 where x is infinite
  }
  static Vec joinPower(Vec y, Vec power) { return {_mm512_scalef_ps(y.v, power.v)}; }
  static Vec splitExponent(Vec x, Vec& e) {
    const __m512i bits = _mm512_castps_si512(x.v);
    const __m512i exponent =
        _mm512_srai_epi32(_mm512_sub_epi32(bits, _mm512_set1_epi32(0x3f3504f3)), 23);
    e.v = _mm512_cvtepi32_ps(exponent);
    return {_mm512_castsi512_ps(_mm512_sub_epi32(bits, _mm512_slli_epi32(exponent, 23)))};
  }
  static Vec productError(Vec a, Vec b, Vec ab) { return {_mm512_fmsub_ps(a.v, b.v, ab.v)}; }

  static Mask equal(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
  static Mask less(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
  static Mask lessEqual(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
  static Mask isNan(Vec a) { return {_mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q)}; }
  static Vec select(Mask m, Vec yes, Vec no) { return {_mm512_mask_blend_ps(m.m, no.v, yes.v)}; }

  float sum() const {
    const __m256 a = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    const __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
  }
  float maximum() const { return _mm512_reduce_max_ps(v); }

  static Vec pick(Vec a, Vec b, const int32_t* index, int32_t first) {
    const __m512i from = _mm512_sub_epi32(_mm512_loadu_si512(index), _mm512_set1_epi32(first));
    return {_mm512_permutex2var_ps(a.v, from, b.v)};
  }
  static Vec evens(Vec a, Vec b) {
    const __m512i from =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return {_mm512_permutex2var_ps(a.v, from, b.v)};
  }
  static Vec odds(Vec a, Vec b) {
    const __m512i from =
        _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    return {_mm512_permutex2var_ps(a.v, from, b.v)};
  }
  static Vec zipLow(Vec a, Vec b) {
    const __m512i from = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    return {_mm512_permutex2var_ps(a.v, from, b.v)};
  }
  static Vec zipHigh(Vec a, Vec b) {
    const __m512i from =
        _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    return {_mm512_permutex2var_ps(a.v, from, b.v)};
  }

  // Rows become columns: r[i] lane j <- r[j] lane i.
  static void transpose(Vec (&r)[kLanes]) {
    __m512 t[16], u[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 2) {
      t[i] = _mm512_unpacklo_ps(r[i].v, r[i + 1].v);
      t[i + 1] = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 4) {
      u[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
      u[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
      u[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      u[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 4; ++i) {
      const __m512 a = _mm512_shuffle_f32x4(u[i], u[i + 4], 0x88);
      const __m512 b = _mm512_shuffle_f32x4(u[i], u[i + 4], 0xdd);
      const __m512 c = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0x88);
      const __m512 d = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0xdd);
      r[i].v = _mm512_shuffle_f32x4(a, c, 0x88);
      r[i + 4].v = _mm512_shuffle_f32x4(b, d, 0x88);
      r[i + 8].v = _mm512_shuffle_f32x4(a, c, 0xdd);
      r[i + 12].v = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
  }
  // Quarters are put together by loads: the port that shuffles has 32 instructions instead of 64,
  // and few of the loads lie across two lines.
  static void loadColumns(const float* const* rows, int64_t at, Vec (&r)[kLanes]) {
#pragma GCC unroll 4
    for (int k = 0; k < 16; k += 4) {
      __m512 t[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        t[i] = _mm512_castps128_ps512(_mm_loadu_ps(rows[i] + at + k));
        t[i] = _mm512_insertf32x4(t[i], _mm_loadu_ps(rows[i + 4] + at + k), 1);
        t[i] = _mm512_insertf32x4(t[i], _mm_loadu_ps(rows[i + 8] + at + k), 2);
        t[i] = _mm512_insertf32x4(t[i], _mm_loadu_ps(rows[i + 12] + at + k), 3);
      }
      const __m512 a = _mm512_unpacklo_ps(t[0], t[1]), b = _mm512_unpackhi_ps(t[0], t[1]);
      const __m512 c = _mm512_unpacklo_ps(t[2], t[3]), d = _mm512_unpackhi_ps(t[2], t[3]);
      r[k].v = _mm512_shuffle_ps(a, c, 0x44);
      r[k + 1].v = _mm512_shuffle_ps(a, c, 0xee);
      r[k + 2].v = _mm512_shuffle_ps(b, d, 0x44);
      r[k + 3].v = _mm512_shuffle_ps(b, d, 0xee);
    }
  }
};

struct WideSum {
  __m512d lo, hi;
  static WideSum zero() { return {_mm512_setzero_pd(), _mm512_setzero_pd()}; }
  void add(Vec a) {
    lo = _mm512_add_pd(lo, _mm512_cvtps_pd(_mm512_castps512_ps256(a.v)));
    hi = _mm512_add_pd(hi, _mm512_cvtps_pd(_mm512_extractf32x8_ps(a.v, 1)));
  }
  void addSquare(Vec a) {
    const __m512d l = _mm512_cvtps_pd(_mm512_castps512_ps256(a.v));
    const __m512d h = _mm512_cvtps_pd(_mm512_extractf32x8_ps(a.v, 1));
    lo = _mm512_fmadd_pd(l, l, lo);
    hi = _mm512_fmadd_pd(h, h, hi);
  }
  double total() const {
    const __m512d a = _mm512_add_pd(lo, hi);
    const __m256d b = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
    const __m128d c = _mm_add_pd(_mm256_castpd256_pd128(b), _mm256_extractf128_pd(b, 1));
    return _mm_cvtsd_f64(_mm_add_sd(c, _mm_unpackhi_pd(c, c)));
  }
};
