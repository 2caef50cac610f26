// AVX2 with FMA: 8 lanes, 16 registers. Masks are vectors of all-ones lanes.
// The names of simd/scalar.h, which says what each means.
struct Mask {
  __m256i m;
  static Mask firstLanes(int n) {
    return {_mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))};
  }
  static Mask between(int lo, int hi) {
    return {_mm256_andnot_si256(firstLanes(lo).m, firstLanes(hi).m)};
  }
  static Mask ofBytes(const uint8_t* p) {
    return ofLowBytes(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  static Mask ofBytesPartial(const uint8_t* p, int n) {
    uint64_t bytes = 0;
    for (int i = 0; i < n && i < 8; ++i) bytes |= uint64_t(p[i]) << (8 * i);
    return ofLowBytes(_mm_cvtsi64_si128(int64_t(bytes)));
  }
  Mask operator&(Mask b) const { return {_mm256_and_si256(m, b.m)}; }
  Mask operator|(Mask b) const { return {_mm256_or_si256(m, b.m)}; }
  Mask operator~() const { return {_mm256_xor_si256(m, _mm256_set1_epi32(-1))}; }
  bool any() const { return _mm256_movemask_ps(_mm256_castsi256_ps(m)) != 0; }
  bool all() const { return _mm256_movemask_ps(_mm256_castsi256_ps(m)) == 0xff; }

 private:
  static Mask ofLowBytes(__m128i bytes) {
    return {_mm256_cmpgt_epi32(_mm256_cvtepu8_epi32(bytes), _mm256_setzero_si256())};
  }
};

struct Vec {
  static constexpr int kLanes = 8;
  static constexpr int kRegisters = 16;
  __m256 v;

  static Vec zero() { return {_mm256_setzero_ps()}; }
  static Vec set(float x) { return {_mm256_set1_ps(x)}; }
  static Vec iota() { return {_mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7)}; }
  static Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static Vec loadOnce(const float* p) {
    Vec x = load(p);
    FOVEA_KEEP_IN_REGISTER("x", x.v);
    return x;
  }
  static Vec loadPartial(const float* p, int n) {
    return {_mm256_maskload_ps(p, Mask::firstLanes(n).m)};
  }
  static Vec loadFloat16(const uint16_t* p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
  }
  static Vec loadBfloat16(const uint16_t* p) {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16))};
  }
  void store(float* p) const { _mm256_storeu_ps(p, v); }
  void stream(float* p) const { _mm256_stream_ps(p, v); }
  static void endStream() { _mm_sfence(); }
  void storePartial(float* p, int n) const { _mm256_maskstore_ps(p, Mask::firstLanes(n).m, v); }

  Vec operator+(Vec b) const { return {_mm256_add_ps(v, b.v)}; }
  Vec operator-(Vec b) const { return {_mm256_sub_ps(v, b.v)}; }
  Vec operator*(Vec b) const { return {_mm256_mul_ps(v, b.v)}; }
  Vec operator/(Vec b) const { return {_mm256_div_ps(v, b.v)}; }
  static Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
  static Vec fnma(Vec a, Vec b, Vec c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
  static Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
  static Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
  static Vec abs(Vec a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
  static Vec negate(Vec a) { return {_mm256_xor_ps(a.v, _mm256_set1_ps(-0.0f))}; }
  static Vec copySign(Vec magnitude, Vec sign) {
    const __m256 bit = _mm256_set1_ps(-0.0f);
    return {_mm256_or_ps(_mm256_and_ps(bit, sign.v), _mm256_andnot_ps(bit, magnitude.v))};
  }
  static Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.v)}; }
  // One addition puts n + 127 into the low bits, where it is the exponent of 2^n after a shift:
  // three instructions, against four by way of cvtps2dq.
  static Vec scaleByPowerOf2(Vec a, Vec n) {
    return joinPower(a, {_mm256_add_ps(n.v, _mm256_set1_ps(kMagic))});
  }

  static constexpr bool kSplitsAll = false;
  static constexpr float kFractionLow = -0.5f;
  static constexpr float kMagic = 0x1.8p23f + 127;
  static Vec splitPower(Vec x, Vec& power) {
    power.v = _mm256_add_ps(x.v, _mm256_set1_ps(kMagic));
    return {_mm256_sub_ps(x.v, _mm256_sub_ps(power.v, _mm256_set1_ps(kMagic)))};
  }
  static Vec joinPower(Vec y, Vec power) {
    const __m256i scale = _mm256_slli_epi32(_mm256_castps_si256(power.v), 23);
    return {_mm256_mul_ps(y.v, _mm256_castsi256_ps(scale))};
  }
  static Vec splitExponent(Vec x, Vec& e) {
    const __m256i bits = _mm256_castps_si256(x.v);
    const __m256i exponent =
        _mm256_srai_epi32(_mm256_sub_epi32(bits, _mm256_set1_epi32(0x3f3504f3)), 23);
    e.v = _mm256_cvtepi32_ps(exponent);
    return {_mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32(exponent, 23)))};
  }
  static Vec productError(Vec a, Vec b, Vec ab) { return {_mm256_fmsub_ps(a.v, b.v, ab.v)}; }

  static Mask equal(Vec a, Vec b) { return compare<_CMP_EQ_OQ>(a, b); }
  static Mask less(Vec a, Vec b) { return compare<_CMP_LT_OQ>(a, b); }
  static Mask lessEqual(Vec a, Vec b) { return compare<_CMP_LE_OQ>(a, b); }
  static Mask isNan(Vec a) { return compare<_CMP_UNORD_Q>(a, a); }
  static Vec select(Mask m, Vec yes, Vec no) {
    return {_mm256_blendv_ps(no.v, yes.v, _mm256_castsi256_ps(m.m))};
  }

  float sum() const {
    const __m128 b = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
  }
  float maximum() const {
    const __m128 b = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 c = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
  }

  static Vec pick(Vec a, Vec b, const int32_t* index, int32_t first) {
    const __m256i at = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(index));
    const __m256i from = _mm256_sub_epi32(at, _mm256_set1_epi32(first));
    const __m256 inB = _mm256_castsi256_ps(_mm256_slli_epi32(from, 28));  // bit 3 as the sign
    return {_mm256_blendv_ps(_mm256_permutevar8x32_ps(a.v, from),
                             _mm256_permutevar8x32_ps(b.v, from), inB)};
  }
  static Vec evens(Vec a, Vec b) { return joinHalves(_mm256_shuffle_ps(a.v, b.v, 0x88)); }
  static Vec odds(Vec a, Vec b) { return joinHalves(_mm256_shuffle_ps(a.v, b.v, 0xdd)); }
  static Vec zipLow(Vec a, Vec b) {
    return {
        _mm256_permute2f128_ps(_mm256_unpacklo_ps(a.v, b.v), _mm256_unpackhi_ps(a.v, b.v), 0x20)};
  }
  static Vec zipHigh(Vec a, Vec b) {
    return {
        _mm256_permute2f128_ps(_mm256_unpacklo_ps(a.v, b.v), _mm256_unpackhi_ps(a.v, b.v), 0x31)};
  }

  // Rows become columns: r[i] lane j <- r[j] lane i.
  static void transpose(Vec (&r)[kLanes]) {
    __m256 t[8], u[8];
#pragma GCC unroll 16
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_ps(r[i].v, r[i + 1].v);
      t[i + 1] = _mm256_unpackhi_ps(r[i].v, r[i + 1].v);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 8; i += 4) {
      u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
      u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
      u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 4; ++i) {
      r[i].v = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
      r[i + 4].v = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
    }
  }
  // Halves are put together by loads: the port that shuffles has 16 instructions instead of 24.
  static void loadColumns(const float* const* rows, int64_t at, Vec (&r)[kLanes]) {
#pragma GCC unroll 2
    for (int k = 0; k < 8; k += 4) {
      __m256 t[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
        t[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(rows[i] + at + k)),
                                    _mm_loadu_ps(rows[i + 4] + at + k), 1);
      const __m256 a = _mm256_unpacklo_ps(t[0], t[1]), b = _mm256_unpackhi_ps(t[0], t[1]);
      const __m256 c = _mm256_unpacklo_ps(t[2], t[3]), d = _mm256_unpackhi_ps(t[2], t[3]);
      r[k].v = _mm256_shuffle_ps(a, c, 0x44);
      r[k + 1].v = _mm256_shuffle_ps(a, c, 0xee);
      r[k + 2].v = _mm256_shuffle_ps(b, d, 0x44);
      r[k + 3].v = _mm256_shuffle_ps(b, d, 0xee);
    }
  }

 private:
  // Pairs of lanes 0 2 1 3: what shuffles within each half leave apart.
  static Vec joinHalves(__m256 v) {
    return {_mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(v), 0xd8))};
  }
  template <int kPredicate>
  static Mask compare(Vec a, Vec b) {
    return {_mm256_castps_si256(_mm256_cmp_ps(a.v, b.v, kPredicate))};
  }
};

struct WideSum {
  __m256d lo, hi;
  static WideSum zero() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
  void add(Vec a) {
    lo = _mm256_add_pd(lo, _mm256_cvtps_pd(_mm256_castps256_ps128(a.v)));
    hi = _mm256_add_pd(hi, _mm256_cvtps_pd(_mm256_extractf128_ps(a.v, 1)));
  }
  void addSquare(Vec a) {
    const __m256d l = _mm256_cvtps_pd(_mm256_castps256_ps128(a.v));
    const __m256d h = _mm256_cvtps_pd(_mm256_extractf128_ps(a.v, 1));
    lo = _mm256_fmadd_pd(l, l, lo);
    hi = _mm256_fmadd_pd(h, h, hi);
  }
  double total() const {
    const __m256d b = _mm256_add_pd(lo, hi);
    const __m128d c = _mm_add_pd(_mm256_castpd256_pd128(b), _mm256_extractf128_pd(b, 1));
    return _mm_cvtsd_f64(_mm_add_sd(c, _mm_unpackhi_pd(c, c)));
  }
};
