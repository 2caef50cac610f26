#include "kernels/attention/finite-inl.h"
#include "kernels/matrix/elements-inl.h"

constexpr int kLanes = Vec::kLanes;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kSlack = 8.0f;  // as in attendTile-inl.h

// Asks for memory that blocks to come need. A line with every few products keeps memory busy; all
// of a row at once would hold up the loads of this block. What comes much later is asked for into
// the second-level cache only where the products of many rows need the first one's buffers.
template <int kRows>
[[gnu::always_inline]] inline void ask(const void* next, const void* later) {
  __builtin_prefetch(next, 0, 3);
  __builtin_prefetch(later, 0, kRows == kDecodeRows ? 2 : 3);
}

// The rows of a block are padded to kRows, a power of two, and a score lies at [key][row]: one
// vector holds a row's scores of some keys, or some rows' scores of a key. What belongs to a row is
// spread over a lap, the fewest whole vectors with whole keys.
template <int kRows>
constexpr int kLap = kRows > kLanes ? kRows : kLanes;
template <int kRows>
constexpr int kLapKeys = kLap<kRows> / kRows;

// Lane i: the sum of the lanes of x[i]. Halves the vectors step by step: 3 (kLanes - 1)
// instructions, where a transposition and its sums take five times as many.
[[gnu::always_inline]] inline Vec sumsOf(Vec (&x)[kLanes]) {
#pragma GCC unroll 4
  for (int half = kLanes / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < half; ++i)
      x[i] = Vec::evens(x[2 * i], x[2 * i + 1]) + Vec::odds(x[2 * i], x[2 * i + 1]);
  }
  return x[0];
}

// Keys of a lap, and where those of the blocks to come lie.
template <class Element, int kKeys>
struct LapRows {
  const Element *key[kKeys], *next[kKeys], *later[kKeys];
};

// acc[i][r] += the products of kLanes elements from k on, of which `width` exist.
template <int kRows, class Source, int kKeys>
[[gnu::always_inline]] inline void multiplyAdd(const LapRows<typename Source::Element, kKeys>& rows,
                                               const float* queries, int k, int width,
                                               Vec (&acc)[kKeys][kRows]) {
  const int lane = k % kDecodeLanes;
  queries += (k - lane) * kRows + lane;
  Vec x[kKeys];
#pragma GCC unroll 16
  for (int i = 0; i < kKeys; ++i) {
    ask<kRows>(rows.next[i] + k, rows.later[i] + k);
    x[i] = width == kLanes ? Source::load(rows.key[i] + k)
                           : Source::loadPartial(rows.key[i] + k, width);
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    const Vec q = Vec::loadOnce(queries + r * kDecodeLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kKeys; ++i) acc[i][r] = Vec::fma(x[i], q, acc[i][r]);
  }
}

// The scores of all keys, a lap at a time. Behind the last key it is repeated.
template <int kRows, class Source>
[[gnu::noinline]] void score(const DecodeBlock& b, float* scores) {
  using Element = typename Source::Element;
  constexpr int kKeys = kLapKeys<kRows>;
  const int whole = b.depth / kLanes * kLanes, rest = b.depth - whole;
  for (int j = 0; j < b.keys; j += kKeys) {
    LapRows<Element, kKeys> rows;
    Vec acc[kKeys][kRows];
#pragma GCC unroll 16
    for (int i = 0; i < kKeys; ++i) {
      const int at = j + i < b.keys ? j + i : b.keys - 1;
      rows.key[i] = static_cast<const Element*>(b.keyRows[at]);
      rows.next[i] = static_cast<const Element*>(b.nextKeys[at]);
      rows.later[i] = static_cast<const Element*>(b.laterKeys[at]);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) acc[i][r] = Vec::zero();
    }
    for (int k = 0; k < whole; k += kLanes)
      multiplyAdd<kRows, Source>(rows, b.queries, k, kLanes, acc);
    if (rest) multiplyAdd<kRows, Source>(rows, b.queries, whole, rest, acc);
#pragma GCC unroll 8
    for (int at = 0; at < kLap<kRows>; at += kLanes) {
      Vec lanes[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) lanes[i] = acc[(at + i) / kRows][(at + i) % kRows];
      sumsOf(lanes).store(scores + j * kRows + at);
    }
  }
}

// What is added to plain scores, and -inf for a key that a row does not see.
template <int kRows>
[[gnu::noinline]] void applyTerms(const DecodeBlock& b, float* scores) {
  constexpr int kSize = kLap<kRows>;
  // Of the lanes of a lap, relative to the lap's first key.
  alignas(64) float begin[kSize], end[kSize], slope[kSize], position[kSize];
  for (int i = 0; i < kSize; ++i) {
    const int r = i % kRows, key = i / kRows;
    begin[i] = static_cast<float>(b.begin[r] - key);
    end[i] = static_cast<float>(b.end[r] - key);
    slope[i] = b.slopes ? b.slopes[r] : 0.0f;
    position[i] = b.slopes ? b.positions[r] - static_cast<float>(key) : 0.0f;
  }
  const Vec hidden = Vec::set(-kInfinity), cap = Vec::set(b.softcap);
  const Vec perCap = Vec::set(b.softcap > 0 ? 1 / b.softcap : 0);
  for (int j = 0; j < b.keys; j += kLapKeys<kRows>) {
    const Vec key = Vec::set(static_cast<float>(j));
    for (int at = 0; at < kSize; at += kLanes) {
      float* score = scores + j * kRows + at;
      Vec s = Vec::load(score);
      if (b.softcap > 0) s = cap * tanh(s * perCap);
      if (b.slopes)
        s = Vec::fnma(Vec::load(slope + at), Vec::abs(Vec::load(position + at) - key), s);
      if (b.addend) {
        const Vec a = Vec::load(b.addend + j * kRows + at);
        s = Vec::select(Vec::equal(a, hidden), hidden, s + a);
      }
      const Mask seen =
          Vec::lessEqual(Vec::load(begin + at), key) & Vec::less(key, Vec::load(end + at));
      Vec::select(seen, s, hidden).store(score);
    }
  }
}

// Moves the shift of rows whose largest score, among top's lanes, exceeds it by more than the
// slack, and rescales their sums; factor[r] becomes what row r's acc has to be multiplied by.
template <int kRows>
[[gnu::noinline]] void moveShift(const DecodeBlock& b, const float* top, float* factor) {
  constexpr int kSize = kLap<kRows>;
  alignas(64) float by[kSize];
  for (int r = 0; r < kRows; ++r) {
    float highest = top[r];
    for (int i = r + kRows; i < kSize; i += kRows) highest = top[i] > highest ? top[i] : highest;
    const float before = b.shift[r];
    const bool moves = highest > before + kSlack, fresh = before == -kInfinity;
    for (int i = r; i < kSize; i += kRows) {
      by[i] = moves && !fresh ? before - highest : 0.0f;
      if (moves) b.shift[i] = highest;
    }
  }
  for (int at = 0; at < kSize; at += kLanes) {
    const Vec f = exp2OrZero(Vec::load(by + at));
    (Vec::load(b.sums + at) * f).store(b.sums + at);
    f.store(by + at);
  }
  for (int r = 0; r < kRows; ++r) factor[r] = by[r];
}

// p = exp2(s - shift), of hidden keys 0, and if `careful` of no others; factor[r] becomes what row
// r's acc has to be multiplied by.
template <int kRows>
[[gnu::noinline]] void normalise(const DecodeBlock& b, bool careful, float* scores, float* factor) {
  constexpr int kSize = kLap<kRows>, kVecs = kSize / kLanes;
  const int size = (b.keys * kRows + kSize - 1) / kSize * kSize;
  const Vec hidden = Vec::set(-kInfinity), slack = Vec::set(kSlack);
  alignas(64) float top[kSize];
  bool moves = false;
#pragma GCC unroll 8
  for (int v = 0; v < kVecs; ++v) {
    Vec most = hidden;
    for (int at = v * kLanes; at < size; at += kSize) most = Vec::max(most, Vec::load(scores + at));
    most.store(top + v * kLanes);
    moves = moves || Vec::less(Vec::load(b.shift + v * kLanes) + slack, most).any();
  }
  for (int r = 0; r < kRows; ++r) factor[r] = 1.0f;
  if (moves) moveShift<kRows>(b, top, factor);
  const Vec smallest = Vec::set(std::numeric_limits<float>::min());
#pragma GCC unroll 8
  for (int v = 0; v < kVecs; ++v) {
    Vec sum = Vec::load(b.sums + v * kLanes), shift = Vec::load(b.shift + v * kLanes);
    shift = Vec::select(Vec::equal(shift, hidden), Vec::zero(), shift);  // has seen nothing yet
    for (int at = v * kLanes; at < size; at += kSize) {
      const Vec s = Vec::load(scores + at);
      Vec p = exp2OrZero(s - shift);
      if (careful)  // zero must mean hidden, and nothing else
        p = Vec::select(Vec::equal(s, hidden), Vec::zero(), Vec::max(smallest, p));
      p.store(scores + at);
      sum = sum + p;
    }
    sum.store(b.sums + v * kLanes);
  }
}

// acc[r] = factor[r] acc[r] + sum_j p[j][r] value[j] for kVecs vectors of columns; kPartial: only
// `rest` of the last one's exist.
template <int kRows, class Source, int kVecs, bool kPartial>
[[gnu::noinline]] void weighColumns(const DecodeBlock& b, const float* p, const float* factor,
                                    int column, int rest) {
  using Element = typename Source::Element;
  const int64_t pitch = padded(b.valueDepth);
  float* out = b.acc + column;
  Vec acc[kRows][kVecs];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    const Vec by = Vec::set(factor[r]);
#pragma GCC unroll 8
    for (int c = 0; c < kVecs; ++c) acc[r][c] = Vec::load(out + r * pitch + c * kLanes) * by;
  }
  for (int j = 0; j < b.keys; ++j) {
    const auto* value = static_cast<const Element*>(b.valueRows[j]) + column;
    const auto* next = static_cast<const Element*>(b.nextValues[j]) + column;
    const auto* later = static_cast<const Element*>(b.laterValues[j]) + column;
    Vec v[kVecs];
#pragma GCC unroll 8
    for (int c = 0; c < kVecs; ++c) {
      ask<kRows>(next + c * kLanes, later + c * kLanes);
      v[c] = kPartial && c == kVecs - 1 ? Source::loadPartial(value + c * kLanes, rest)
                                        : Source::load(value + c * kLanes);
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec w = Vec::set(p[j * kRows + r]);
#pragma GCC unroll 8
      for (int c = 0; c < kVecs; ++c) acc[r][c] = Vec::fma(w, v[c], acc[r][c]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < kVecs; ++c) acc[r][c].store(out + r * pitch + c * kLanes);
  }
}

template <int kRows, class Source>
void weigh(const DecodeBlock& b, const float* p, const float* factor) {
  // Accumulators: 16 of 32 registers, or 8 of 16.
  constexpr int kVecs = kRows == 1 ? 8 : (Vec::kRegisters / 2) / kRows;
  constexpr int kWidth = kVecs * kLanes;
  int c = 0;
  for (; c + kWidth <= b.valueDepth; c += kWidth)
    weighColumns<kRows, Source, kVecs, false>(b, p, factor, c, 0);
  for (; c + kLanes <= b.valueDepth; c += kLanes)
    weighColumns<kRows, Source, 1, false>(b, p, factor, c, 0);
  if (c < b.valueDepth) weighColumns<kRows, Source, 1, true>(b, p, factor, c, b.valueDepth - c);
}

// A hidden key (p = 0) adds nothing, whatever its value.
template <int kRows, class Source>
[[gnu::noinline]] void weighCarefully(const DecodeBlock& b, const float* p, const float* factor) {
  using Element = typename Source::Element;
  const int64_t pitch = padded(b.valueDepth);
  for (int r = 0; r < b.rows; ++r) {
    for (int c = 0; c < b.valueDepth; c += kLanes) {
      const int width = b.valueDepth - c < kLanes ? b.valueDepth - c : kLanes;
      Vec acc = Vec::load(b.acc + r * pitch + c) * Vec::set(factor[r]);
      for (int j = 0; j < b.keys; ++j) {
        if (p[j * kRows + r] == 0) continue;
        const auto* value = static_cast<const Element*>(b.valueRows[j]) + c;
        acc = Vec::fma(Vec::set(p[j * kRows + r]), Source::loadPartial(value, width), acc);
      }
      acc.store(b.acc + r * pitch + c);
    }
  }
}

// What reads keys or values, one for each Dtype of floats.
using Finite = bool(const void* const* rows, int count, int depth);
using Score = void(const DecodeBlock& b, float* scores);
using Weigh = void(const DecodeBlock& b, const float* p, const float* factor);
inline constexpr Finite* kFinite[] = {finiteRows<Floats, void>, finiteRows<Float16s, void>,
                                      finiteRows<Bfloat16s, void>};
template <int kRows>
inline constexpr Score* kScore[] = {score<kRows, Floats>, score<kRows, Float16s>,
                                    score<kRows, Bfloat16s>};
template <int kRows>
inline constexpr Weigh* kWeigh[] = {weigh<kRows, Floats>, weigh<kRows, Float16s>,
                                    weigh<kRows, Bfloat16s>};
template <int kRows>
inline constexpr Weigh* kWeighCarefully[] = {weighCarefully<kRows, Floats>,
                                             weighCarefully<kRows, Float16s>,
                                             weighCarefully<kRows, Bfloat16s>};

template <int kRows>
void attendRows(const DecodeBlock& b) {
  const auto keys = static_cast<int>(b.keyDtype), values = static_cast<int>(b.valueDtype);
  alignas(64) float scores[kDecodeKeys * kRows];
  float factor[kRows];
  kScore<kRows>[keys](b, scores);
  if (b.begin) applyTerms<kRows>(b, scores);
  const bool careful = b.hides && !kFinite[values](b.valueRows, b.keys, b.valueDepth);
  normalise<kRows>(b, careful, scores, factor);
  (careful ? kWeighCarefully<kRows> : kWeigh<kRows>)[values](b, scores, factor);
}

void attendDecoding(const DecodeBlock& b) {
  const int rows = paddedRows(b.rows);
  if (rows == 1) attendRows<1>(b);
  if (rows == 2) attendRows<2>(b);
  if (rows == 4) attendRows<4>(b);
  if (rows == 8) attendRows<8>(b);
}

void merge(float* shift, float* sums, float* acc, int parts, int64_t stride, int valueDepth) {
  float top = -kInfinity;
  for (int p = 0; p < parts; ++p) {
    const float sum = sums[p * stride];
    if (sum != 0 && !(shift[p * stride] <= top)) top = shift[p * stride];
  }
  float total = 0;
  for (int p = 0; p < parts; ++p) {
    const float sum = sums[p * stride];
    const Vec w = sum == 0 ? Vec::zero() : exp2OrZero(Vec::set(shift[p * stride] - top));
    float weight[kLanes];
    w.store(weight);
    total += weight[0] * sum;
    const float* from = acc + p * stride;
    for (int c = 0; c < valueDepth; c += kLanes) {
      const Vec before = p == 0 ? Vec::zero() : Vec::load(acc + c);
      const Vec joined = sum == 0 ? before : Vec::fma(w, Vec::load(from + c), before);
      joined.store(acc + c);
    }
  }
  shift[0] = total == 0 ? 0 : top;
  sums[0] = total;
}

inline constexpr DecodeTile kDecodeTile{attendDecoding, merge};
