#include "engine/attention/decode.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/numbers.h"
#include "engine/attention/keyBlock.h"
#include "engine/matrix/readFloats.h"
#include "kernels/attention/attendPanel.h"

namespace fovea {

namespace {

constexpr int kBlocks = 2;
constexpr float kHidden = -std::numeric_limits<float>::infinity();

// Which rows of keys, or of values, to ask for long before they are read. Memory gives many places
// sooner than one: of the next sixteen pages, each block asks for a row a page. 1x32x1x128 over
// 8192 keys took 0.65 to 0.82 of the time of asking for the block after the next (with four places
// 0.97, with eight 0.89). A list of few pages is over before that helps.
class RowsLater {
 public:
  // Of the keys [begin, end).
  RowsLater(const KeyRows& source, int width, int64_t begin, int64_t end)
      : source_(source), width_(width), end_(end) {
    const int64_t page = std::clamp<int64_t>(kPageFloats / std::max(width, 1), 1, kMostRows);
    const bool inPlace = source.dtype == Dtype::kFloat32 && source.inner == 1;
    if (inPlace && end - begin >= kFewPages * page) page_ = page;
  }

  // While the block at `at` is attended; where there are none, its own rows `here`.
  const float* const* whileAt(int64_t at, const float* const* here) {
    if (page_ == 0) return here;
    return list((at / span() + 1) * span() + at / kDecodeKeys % page_) ? rows_ : here;
  }
  // Asks for the pages of `at`, which nobody has asked for.
  void start(int64_t at) {
    if (page_ == 0) return;
    const int64_t first = at / span() * span();
    for (int64_t row = first; row < first + page_ && list(row); ++row) {
      for (int64_t k = 0; k < width_; k += kLine) {
        for (const float* from : rows_) __builtin_prefetch(from + k, 0, 2);
      }
    }
  }

 private:
  static constexpr int64_t kPageFloats = 1024, kFewPages = 64, kMostRows = 64, kLine = 16;

  int64_t span() const { return page_ * kDecodeKeys; }  // keys whose pages are asked for together
  // A row a page, from `first` on.
  bool list(int64_t first) {
    for (int64_t i = 0; i < kDecodeKeys; ++i) {
      rows_[i] = static_cast<const float*>(source_.row(std::min(first + i * page_, end_ - 1)));
    }
    return first < end_;
  }

  const KeyRows& source_;
  int64_t width_, end_;
  int64_t page_ = 0;  // rows of one; 0: none are asked for
  const float* rows_[kDecodeKeys];
};

// What bias and mask add to the scores of the block's keys, a row a query: -inf hides.
void gatherAddend(const AttendProblem& p, const QueryRow* rows, int64_t at, int keys,
                  float* addend) {
  const int count = static_cast<int>(p.rows), step = paddedRows(count);
  for (int r = 0; r < count; ++r) {
    for (int j = 0; j < keys; ++j) {
      const bool hidden = p.mask && rows[r].mask[(at + j) * p.maskStride] == 0;
      const float bias = p.bias ? rows[r].bias[(at + j) * p.biasStride] * kLog2e : 0.0f;
      addend[j * step + r] = hidden ? kHidden : bias;
    }
  }
}

}  // namespace

void decodePart(const AttendProblem& p, int64_t part, Interval run, float* state, int64_t rowStride,
                Scratch& scratch) {
  const DecodeTile& tile = decodeTile();
  const int count = static_cast<int>(p.rows), all = paddedRows(count);
  const int64_t pitch = padded(p.depth), valuePitch = padded(p.valueDepth);
  const int64_t partBegin = part * kDecodePart;
  const int64_t partEnd = std::min(partBegin + kDecodePart, p.segments[0].keys);
  const Scratch::Scope scope(scratch);

  QueryRow rows[kDecodeRows];
  float* queries = scratch.floats(all * pitch);
  float* acc = scratch.floats(all * valuePitch);
  float* addend = p.bias || p.mask ? scratch.floats(all * kDecodeKeys) : nullptr;
  float slopes[kDecodeRows] = {}, positions[kDecodeRows] = {};
  float shift[kDecodeLanes], sums[kDecodeLanes] = {};
  std::fill(shift, shift + kDecodeLanes, kHidden);
  int first[kDecodeRows] = {}, last[kDecodeRows] = {};
  std::memset(queries, 0, sizeof(float) * static_cast<size_t>(all * pitch));
  std::memset(acc, 0, sizeof(float) * static_cast<size_t>(all * valuePitch));
  int64_t begin = partEnd, end = partBegin;
  p.describe(0, count, rows);
  float* query = scratch.floats(p.depth);
  for (int r = 0; r < count; ++r) {
    if (p.alibi) rows[r].settle(p.segments[0].keys);
    const float by = p.scale * kLog2e;
    readFloats(rows[r].query, p.queryDtype, p.queryInner, query, p.depth);
    for (int k = 0; k < p.depth; ++k) {
      const int lane = k % kDecodeLanes;
      queries[(k - lane) * all + r * kDecodeLanes + lane] = query[k] * by;
    }
    slopes[r] = rows[r].slope * kLog2e;
    if (rows[r].visible[0].begin >= rows[r].visible[0].end) continue;
    begin = std::min(begin, rows[r].visible[0].begin);
    end = std::max(end, rows[r].visible[0].end);
  }
  const int64_t runEnd = std::min(end, run.end * kDecodePart);
  RowsLater laterKeys(p.segments[0].key, p.depth, begin, runEnd);
  RowsLater laterValues(p.segments[0].value, p.valueDepth, begin, runEnd);
  begin = std::max(begin, partBegin) / kDecodeKeys * kDecodeKeys;
  end = std::min(end, partEnd);

  // The blocks at hand: this one and the next take turns.
  KeyBlock keys[kBlocks] = {{p.segments[0].key, p.depth, kDecodeKeys, scratch},
                            {p.segments[0].key, p.depth, kDecodeKeys, scratch}};
  KeyBlock values[kBlocks] = {{p.segments[0].value, p.valueDepth, kDecodeKeys, scratch},
                              {p.segments[0].value, p.valueDepth, kDecodeKeys, scratch}};
  const auto keysAt = [&](int64_t at) {
    return static_cast<int>(std::clamp<int64_t>(partEnd - at, 0, kDecodeKeys));
  };
  const auto seek = [&](int64_t at) {
    const auto which = static_cast<size_t>(at / kDecodeKeys % kBlocks);
    keys[which].seek(at, keysAt(at));
    values[which].seek(at, keysAt(at));
  };
  DecodeBlock block;
  block.depth = p.depth;
  block.valueDepth = p.valueDepth;
  block.rows = count;
  block.queries = queries;
  block.softcap = p.softcap * kLog2e;
  block.addend = addend;
  block.slopes = p.alibi ? slopes : nullptr;
  block.positions = positions;
  block.shift = shift;
  block.sums = sums;
  block.acc = acc;
  const bool terms = addend || p.alibi || p.softcap > 0;
  if (begin < end && part == run.begin) {
    laterKeys.start(begin);
    laterValues.start(begin);
  }
  if (begin < end) seek(begin);
  for (int64_t at = begin; at < end; at += kDecodeKeys) {
    seek(at + kDecodeKeys);
    block.keys = keysAt(at);
    const auto here = static_cast<size_t>(at / kDecodeKeys % kBlocks);
    // Where there is no whole block to come, this one is asked for again.
    const size_t next = keysAt(at + kDecodeKeys) == kDecodeKeys ? 1 - here : here;
    block.keyRows = keys[here].rows();
    block.valueRows = values[here].rows();
    block.nextKeys = keys[next].rows();
    block.nextValues = values[next].rows();
    block.laterKeys = laterKeys.whileAt(at, block.keyRows);
    block.laterValues = laterValues.whileAt(at, block.valueRows);
    bool hides = addend != nullptr;
    for (int r = 0; r < count; ++r) {
      const Interval& seen = rows[r].visible[0];
      const int64_t stop = at + block.keys;
      first[r] = static_cast<int>(std::clamp(seen.begin, at, stop) - at);
      last[r] = static_cast<int>(std::clamp(seen.end, at, stop) - at);
      positions[r] = static_cast<float>(rows[r].position - at);
      hides = hides || first[r] > 0 || last[r] < block.keys;
    }
    const bool plain = !hides && !terms && block.keys == kDecodeKeys;
    block.begin = plain ? nullptr : first;
    block.end = plain ? nullptr : last;
    if (addend) gatherAddend(p, rows, at, block.keys, addend);
    block.careful = hides && !attendPanel().finite(block.valueRows, block.keys, p.valueDepth);
    tile.attend(block);
  }
  for (int r = 0; r < count; ++r) {
    float* to = state + r * rowStride;
    to[0] = shift[r] == kHidden ? 0 : shift[r];
    to[1] = 0;
    for (int i = r; i < kDecodeLanes; i += all) to[1] += sums[i];
    std::memcpy(to + kDecodeLanes, acc + r * valuePitch,
                sizeof(float) * static_cast<size_t>(valuePitch));
  }
}

void decodeJoin(const AttendProblem& p, int64_t parts, float* state, int64_t rowStride,
                Scratch& scratch) {
  const Scratch::Scope scope(scratch);
  const int count = static_cast<int>(p.rows);
  float* acc = scratch.floats(int64_t{p.valueDepth} * kPanel);
  float shift[kPanel] = {}, sums[kPanel] = {}, sinks[kPanel] = {}, lse[kPanel];
  float* out[kPanel];
  float* lseRows[kDecodeRows];
  float excess[kDecodeRows];
  QueryRow rows[kDecodeRows];
  p.describe(0, count, rows);
  for (int r = 0; r < count; ++r) {
    QueryRow& row = rows[r];
    excess[r] = p.alibi ? row.settle(p.segments[0].keys) : 0.0f;
    float* from = state + r * rowStride;
    float* sum = from + 1;
    float* weighted = from + kDecodeLanes;
    decodeTile().merge(from, sum, weighted, static_cast<int>(parts),
                       decodeStateFloats(p.valueDepth), p.valueDepth);
    shift[r] = from[0];
    sums[r] = sum[0];
    for (int c = 0; c < p.valueDepth; ++c) acc[c * kPanel + r] = weighted[c];
    sinks[r] = row.sink * kLog2e;
    out[r] = row.out;
    lseRows[r] = row.lse;
  }
  attendPanel().finish(acc, shift, sums, p.sinks ? sinks : nullptr, count, p.valueDepth, out,
                       p.outInner, lseRows[0] ? lse : nullptr);
  for (int r = 0; lseRows[0] && r < count; ++r) *lseRows[r] = lse[r] - excess[r];
}

}  // namespace fovea
