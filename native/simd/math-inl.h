// Elementary functions over Vec, compiled for every instruction set after its header.
// Errors are in ulp against float64 over the whole domain, except where the true value lies below
// 2^-125: there a result may be 0. test/native/elementary.cc holds each of them on every
// instruction set. Costs are instructions a vector. NaN gives NaN everywhere.

// c[0] + c[1] x + ... + c[n - 1] x^(n - 1) by Horner.
template <int n>
inline Vec polynomial(Vec x, const float (&c)[n]) {
  Vec p = Vec::set(c[n - 1]);
#pragma GCC unroll 16
  for (int i = n - 2; i >= 0; --i) p = Vec::fma(p, x, Vec::set(c[i]));
  return p;
}

// 2^x for x that Vec::splitPower takes. Minimax in the relative error on the fraction's interval;
// the constant is 1, so that 2^0 is 1 and the largest score of a row weighs exactly 1.
inline Vec exp2InRange(Vec x) {
  constexpr float kUnit[] = {1.0f,           0x1.62e4bap-1f, 0x1.ebdb58p-3f,
                             0x1.c91ce6p-5f, 0x1.277856p-7f, 0x1.e974fap-10f};
  constexpr float kCentred[] = {1.0f,           0x1.62e42ap-1f, 0x1.ebf9bap-3f,
                                0x1.c6b73ap-5f, 0x1.3cea88p-7f, 0x1.5bba14p-10f};
  Vec power;
  const Vec f = Vec::splitPower(x, power);
  return Vec::joinPower(polynomial(f, Vec::kFractionLow == 0 ? kUnit : kCentred), power);
}

// 2^x for x <= 127 (any x on AVX-512); exactly 0 for -inf and below -127.5, and below -126 where
// subnormals are flushed. 3 ulp. 11 instructions, 9 on AVX-512: the exponential of attention.
inline Vec exp2OrZero(Vec x) {
  return exp2InRange(Vec::kSplitsAll ? x : Vec::max(Vec::set(-127.0f), x));
}

// 2^x for x <= 127 (any x on AVX-512), but never below 2^-126: not even for -inf. 3 ulp.
// 11 instructions, 10 on AVX-512.
inline Vec exp2(Vec x) { return exp2InRange(Vec::max(Vec::set(-126.0f), x)); }

// x = n ln 2 + r with |r| <= ln(2)/2, n integral; returns r. |x| < 300.
inline Vec reduceByLn2(Vec x, Vec& n) {
  const Vec magic = Vec::set(0x1.8p23f);  // whose last bit is 1: the sum ends in n
  n = Vec::fma(x, Vec::set(0x1.715476p0f), magic) - magic;
  // ln 2 in two parts; n times the first, nine bits long, is exact.
  return Vec::fnma(n, Vec::set(-0x1.bd0106p-13f), Vec::fnma(n, Vec::set(0x1.63p-1f), x));
}

// (e^r - 1 - r) / r^2 for |r| <= ln(2)/2, minimax.
inline Vec expRest(Vec r) {
  constexpr float kQ[] = {0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558f2p-5f, 0x1.1239d6p-7f,
                          0x1.6a2448p-10f};
  return polynomial(r, kQ);
}

// e^r for |r| <= ln(2)/2.
inline Vec expInRange(Vec r) {
  const Vec one = Vec::set(1.0f);
  return Vec::fma(Vec::fma(expRest(r), r, one), r, one);
}

// e^x for x <= 88; 0 below 2^-126 (AVX-512: 2^-149). 1.2 ulp. 12 instructions.
inline Vec exp(Vec x) {
  constexpr float kLow = Vec::kSplitsAll ? -110.0f : -88.0f;  // where scaleByPowerOf2 yields 0
  Vec n;
  const Vec r = reduceByLn2(Vec::max(Vec::set(kLow), x), n);
  return Vec::scaleByPowerOf2(expInRange(r), n);
}

// 1 / (1 + e^-x), through e^-|x|, which cannot overflow. 2.5 ulp. 17 instructions, 1 division.
inline Vec sigmoid(Vec x) {
  const Vec e = exp(Vec::negate(Vec::abs(x)));
  const Vec one = Vec::set(1.0f);
  return Vec::select(Vec::less(x, Vec::zero()), e, one) / (one + e);
}

// With t = e^(-2|x|) - 1 in full relative accuracy: |tanh x| = -t / (t + 2). 2.5 ulp, also next to
// 0. 20 instructions, 1 division.
inline Vec tanh(Vec x) {
  const Vec y = Vec::max(Vec::set(-40.0f), Vec::set(-2.0f) * Vec::abs(x));
  Vec n;
  const Vec r = reduceByLn2(y, n);
  const Vec one = Vec::set(1.0f);
  const Vec power = Vec::scaleByPowerOf2(one, n);
  const Vec expm1 = Vec::fma(expRest(r), r * r, r);  // exact in relative terms
  const Vec t = Vec::fma(power, expm1, power - one);
  return Vec::copySign(t / (t + Vec::set(2.0f)), x);
}

// ln x: 0 gives -inf, negative numbers NaN. 1 ulp, also next to 1. 27 instructions. A subnormal is
// 0 under flush-to-zero, which is how every kernel runs.
inline Vec log(Vec x) {
  // (ln(1 + f) - f + f^2/2) / f^3 on [sqrt(1/2) - 1, sqrt(2) - 1].
  constexpr float kP[] = {0.333333317f, -0.25000821f, 0.200012269f, -0.166233574f,
                          0.142017579f, -0.13160182f, 0.127615779f, -0.0763449864f};
  constexpr float kInf = std::numeric_limits<float>::infinity();
  Vec e;
  const Vec f = Vec::splitExponent(x, e) - Vec::set(1.0f);
  const Vec f2 = f * f;
  const Vec low = Vec::fma(e, Vec::set(-0x1.bd0106p-13f), polynomial(f, kP) * (f * f2));
  const Vec y = Vec::fma(e, Vec::set(0x1.63p-1f), Vec::fma(f2, Vec::set(-0.5f), low) + f);
  const Vec inf = Vec::set(kInf);
  const Vec below = Vec::select(Vec::equal(x, Vec::zero()), Vec::negate(inf),
                                Vec::set(std::numeric_limits<float>::quiet_NaN()));
  const Vec finite = Vec::select(Vec::less(Vec::zero(), x), y, below);
  return Vec::select(Vec::equal(x, inf), inf, finite);
}

// ln(1 + x) for x > -1, in full relative accuracy next to 0: ln w plus what w = 1 + x lost.
// 2 ulp. 32 instructions, 1 division.
inline Vec log1p(Vec x) {
  const Vec one = Vec::set(1.0f);
  const Vec w = one + x;
  const Vec y = log(w);
  const Vec lost = (x - (w - one)) / w;
  return Vec::select(Vec::less(w, Vec::set(std::numeric_limits<float>::infinity())), y + lost, y);
}

// ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|). 2 ulp. 48 instructions, 1 division.
inline Vec softplus(Vec x) {
  return Vec::max(Vec::zero(), x) + log1p(exp(Vec::negate(Vec::abs(x))));
}

// 1 / sqrt(x), each step rounded correctly: 1.5 ulp. 1 square root, 1 division.
inline Vec rsqrt(Vec x) { return Vec::set(1.0f) / Vec::sqrt(x); }

// The upper tail of the normal distribution at 0 <= a <= kTailEnd, Phi(-a) = erfc(a / sqrt 2) / 2,
// in full relative accuracy: exp(-a^2/2), with the rounding error of a^2, times a rational function
// (minimax on [0, 13.5], 5e-9). At the end scaleByPowerOf2 yields 0.
inline constexpr float kTailEnd = Vec::kSplitsAll ? 20.0f : 13.25f;
inline Vec normalTail(Vec a) {
  constexpr float kP[] = {0.500000003f, 0.436144394f, 0.181644427f, 0.0400975776f, 0.00403692398f};
  constexpr float kQ[] = {1.0f, 1.67017372f, 1.19589043f, 0.46527151f, 0.100516932f, 0.0101189289f};
  const Vec square = a * a, half = Vec::set(-0.5f);
  Vec n;
  const Vec r = Vec::fma(Vec::productError(a, a, square), half, reduceByLn2(square * half, n));
  const Vec e = Vec::scaleByPowerOf2(expInRange(r), n);
  return e * (polynomial(a, kP) / polynomial(a, kQ));
}

// x Phi(x) = max(x, 0) - |x| Phi(-|x|), in full relative accuracy on both sides; -0 for x << 0,
// -inf included. 7 ulp. 29 instructions, 1 division.
inline Vec gelu(Vec x) {
  const Vec a = Vec::min(Vec::set(kTailEnd), Vec::abs(x));
  return Vec::fnma(a, normalTail(a), Vec::max(Vec::set(-0.0f), x));
}
