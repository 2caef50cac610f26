using test::LaneFunction;
using test::VecFunctions;

inline Vec truth(Mask m) { return Vec::select(m, Vec::set(1), Vec::zero()); }

#define LANES(name, expression)                                                          \
  static void name##Lanes(const float* pa, const float* pb, const float* pc, float* y) { \
    [[maybe_unused]] const Vec a = Vec::load(pa), b = Vec::load(pb), c = Vec::load(pc);  \
    (expression).store(y);                                                               \
  }
LANES(add, a + b)
LANES(subtract, a - b)
LANES(multiply, (a * b))
LANES(divide, a / b)
LANES(fma, Vec::fma(a, b, c))
LANES(fnma, Vec::fnma(a, b, c))
LANES(min, Vec::min(a, b))
LANES(max, Vec::max(a, b))
LANES(abs, Vec::abs(a))
LANES(negate, Vec::negate(a))
LANES(copySign, Vec::copySign(a, b))
LANES(sqrt, Vec::sqrt(a))
LANES(equal, truth(Vec::equal(a, b)))
LANES(less, truth(Vec::less(a, b)))
LANES(lessEqual, truth(Vec::lessEqual(a, b)))
LANES(isNan, truth(Vec::isNan(a)))
LANES(select, Vec::select(Vec::less(a, b), b, c))
LANES(productError, Vec::productError(a, b, (a * b)))
#undef LANES

inline constexpr LaneFunction kLaneFunctions[] = {
    {"add", addLanes},       {"subtract", subtractLanes}, {"multiply", multiplyLanes},
    {"divide", divideLanes}, {"fma", fmaLanes},           {"fnma", fnmaLanes},
    {"min", minLanes},       {"max", maxLanes},           {"abs", absLanes},
    {"negate", negateLanes}, {"copySign", copySignLanes}, {"sqrt", sqrtLanes},
    {"equal", equalLanes},   {"less", lessLanes},         {"lessEqual", lessEqualLanes},
    {"isNan", isNanLanes},   {"select", selectLanes},     {"productError", productErrorLanes},
    {nullptr, nullptr}};

static void loadPartial(const float* x, int n, float* y) { Vec::loadPartial(x, n).store(y); }
static void storePartial(const float* x, int n, float* y) { Vec::load(x).storePartial(y, n); }
static void firstLanes(int n, float* y) { truth(Mask::firstLanes(n)).store(y); }
static void between(int lo, int hi, float* y) { truth(Mask::between(lo, hi)).store(y); }
static void ofBytes(const uint8_t* p, float* y) { truth(Mask::ofBytes(p)).store(y); }
static void ofBytesPartial(const uint8_t* p, int n, float* y) {
  truth(Mask::ofBytesPartial(p, n)).store(y);
}
static void combine(const uint8_t* p, const uint8_t* q, float* both, float* either,
                    float* neither) {
  const Mask a = Mask::ofBytes(p), b = Mask::ofBytes(q);
  truth(a & b).store(both);
  truth(a | b).store(either);
  truth(~a & ~b).store(neither);
}
static bool any(const uint8_t* p) { return Mask::ofBytes(p).any(); }
static bool all(const uint8_t* p) { return Mask::ofBytes(p).all(); }
static void constants(float* zero, float* iota) {
  Vec::zero().store(zero);
  Vec::iota().store(iota);
}
static float sum(const float* x) { return Vec::load(x).sum(); }
static float maximum(const float* x) { return Vec::load(x).maximum(); }
static void transpose(float* x) {
  Vec r[Vec::kLanes];
  for (int i = 0; i < Vec::kLanes; ++i) r[i] = Vec::load(x + i * Vec::kLanes);
  Vec::transpose(r);
  for (int i = 0; i < Vec::kLanes; ++i) r[i].store(x + i * Vec::kLanes);
}
static void loadColumns(const float* const* rows, int64_t at, float* y) {
  Vec r[Vec::kLanes];
  Vec::loadColumns(rows, at, r);
  for (int i = 0; i < Vec::kLanes; ++i) r[i].store(y + i * Vec::kLanes);
}
static void pick(const float* x, const int32_t* index, int32_t first, float* y) {
  Vec::pick(Vec::load(x), Vec::load(x + Vec::kLanes), index, first).store(y);
}
static void unzip(const float* x, float* evens, float* odds) {
  const Vec a = Vec::load(x), b = Vec::load(x + Vec::kLanes);
  Vec::evens(a, b).store(evens);
  Vec::odds(a, b).store(odds);
}
static void zip(const float* a, const float* b, float* x) {
  Vec::zipLow(Vec::load(a), Vec::load(b)).store(x);
  Vec::zipHigh(Vec::load(a), Vec::load(b)).store(x + Vec::kLanes);
}
static double wideSum(const float* x, int64_t vectors) {
  WideSum s = WideSum::zero();
  for (int64_t i = 0; i < vectors; ++i) s.add(Vec::load(x + i * Vec::kLanes));
  return s.total();
}
static double wideSumOfSquares(const float* x, int64_t vectors) {
  WideSum s = WideSum::zero();
  for (int64_t i = 0; i < vectors; ++i) s.addSquare(Vec::load(x + i * Vec::kLanes));
  return s.total();
}
static void splitExponent(const float* x, float* m, float* e) {
  Vec exponent;
  Vec::splitExponent(Vec::load(x), exponent).store(m);
  exponent.store(e);
}

inline constexpr VecFunctions kVecFunctions{
    Vec::kLanes, kLaneFunctions, loadPartial,      storePartial, firstLanes, between,
    ofBytes,     ofBytesPartial, combine,          any,          all,        constants,
    sum,         maximum,        transpose,        loadColumns,  pick,       unzip,
    zip,         wideSum,        wideSumOfSquares, splitExponent};
