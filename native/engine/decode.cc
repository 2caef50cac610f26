#include "engine/decode.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/attendPanel.h"

namespace fovea {

namespace {

constexpr float kLog2e = 1.44269504088896341f;
constexpr float kHidden = -std::numeric_limits<float>::infinity();

// bias and mask of the block's keys for every query, as AttendPanel::packAddend makes them.
void gatherAddend(const AttendProblem& p, const QueryRow* rows, int64_t at, int keys,
                  float* addend) {
  for (int r = 0; r < p.rows; ++r) {
    float* to = addend + r * kDecodeKeys;
    for (int j = 0; j < keys; ++j) {
      const bool hidden = p.mask && rows[r].mask[(at + j) * p.maskStride] == 0;
      to[j] = hidden ? kHidden : p.bias ? rows[r].bias[(at + j) * p.biasStride] * kLog2e : 0.0f;
    }
  }
}

}  // namespace

void decodePart(const AttendProblem& p, int64_t part, float* state, int64_t rowStride,
                Scratch& scratch) {
  const DecodeTile& tile = decodeTile();
  const int count = static_cast<int>(p.rows);
  const int64_t pitch = padded(p.depth);
  const int64_t partBegin = part * kDecodePart;
  const int64_t partEnd = std::min(partBegin + kDecodePart, p.segments[0].keys);
  const Scratch::Scope scope(scratch);

  QueryRow rows[kDecodeRows];
  float* queries = scratch.floats(count * pitch);
  float* sums = scratch.floats(count * kDecodeLanes);
  float* acc = scratch.floats(count * padded(p.valueDepth));
  float* addend = p.bias || p.mask ? scratch.floats(count * kDecodeKeys) : nullptr;
  float shift[kDecodeRows] = {}, slopes[kDecodeRows], positions[kDecodeRows];
  int first[kDecodeRows], last[kDecodeRows];
  std::memset(queries, 0, sizeof(float) * static_cast<size_t>(count * pitch));
  std::memset(sums, 0, sizeof(float) * static_cast<size_t>(count) * kDecodeLanes);
  std::memset(acc, 0, sizeof(float) * static_cast<size_t>(count * padded(p.valueDepth)));
  int64_t begin = partEnd, end = partBegin;
  p.describe(0, count, rows);
  for (int r = 0; r < count; ++r) {
    if (p.alibi) rows[r].settle(p.segments[0].keys);
    const float by = p.scale * kLog2e;
    for (int k = 0; k < p.depth; ++k) queries[r * pitch + k] = rows[r].query[k * p.queryInner] * by;
    slopes[r] = rows[r].slope * kLog2e;
    if (rows[r].visible[0].begin >= rows[r].visible[0].end) continue;
    begin = std::min(begin, rows[r].visible[0].begin);
    end = std::max(end, rows[r].visible[0].end);
  }
  begin = std::max(begin, partBegin) / kDecodeKeys * kDecodeKeys;
  end = std::min(end, partEnd);

  KeyBlock keys[2] = {{p.segments[0].key, p.depth, kDecodeKeys, scratch},
                      {p.segments[0].key, p.depth, kDecodeKeys, scratch}};
  KeyBlock values[2] = {{p.segments[0].value, p.valueDepth, kDecodeKeys, scratch},
                        {p.segments[0].value, p.valueDepth, kDecodeKeys, scratch}};
  DecodeBlock block;
  block.depth = p.depth;
  block.valueDepth = p.valueDepth;
  block.rows = count;
  block.queries = queries;
  block.begin = first;
  block.end = last;
  block.softcap = p.softcap * kLog2e;
  block.addend = addend;
  block.slopes = p.alibi ? slopes : nullptr;
  block.positions = positions;
  block.shift = shift;
  block.sums = sums;
  block.acc = acc;
  int now = 0;
  if (begin < end) {
    const int size = static_cast<int>(std::min<int64_t>(kDecodeKeys, partEnd - begin));
    keys[now].seek(begin, size);
    values[now].seek(begin, size);
  }
  for (int64_t at = begin; at < end; at += kDecodeKeys, now ^= 1) {
    block.keys = static_cast<int>(std::min<int64_t>(kDecodeKeys, partEnd - at));
    block.keyRows = keys[now].rows();
    block.valueRows = values[now].rows();
    const int64_t next = at + kDecodeKeys;
    block.nextKeys = block.nextValues = nullptr;
    if (next < end) {
      const int size = static_cast<int>(std::min<int64_t>(kDecodeKeys, partEnd - next));
      keys[now ^ 1].seek(next, size);
      values[now ^ 1].seek(next, size);
      if (size == kDecodeKeys) {
        block.nextKeys = keys[now ^ 1].rows();
        block.nextValues = values[now ^ 1].rows();
      }
    }
    bool hides = addend != nullptr;
    for (int r = 0; r < count; ++r) {
      const Interval& seen = rows[r].visible[0];
      const int64_t stop = at + block.keys;
      first[r] = static_cast<int>(std::clamp(seen.begin, at, stop) - at);
      last[r] = static_cast<int>(std::clamp(seen.end, at, stop) - at);
      positions[r] = static_cast<float>(rows[r].position - at);
      hides = hides || first[r] > 0 || last[r] < block.keys;
    }
    if (addend) gatherAddend(p, rows, at, block.keys, addend);
    block.careful = hides && !attendPanel().finite(block.valueRows, block.keys, p.valueDepth);
    tile.attend(block);
  }
  for (int r = 0; r < count; ++r) {
    float* to = state + r * rowStride;
    to[0] = shift[r];
    std::memcpy(to + kDecodeLanes, sums + r * kDecodeLanes, sizeof(float) * kDecodeLanes);
    std::memcpy(to + 2 * kDecodeLanes, acc + r * padded(p.valueDepth),
                sizeof(float) * static_cast<size_t>(padded(p.valueDepth)));
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
    float* sum = from + kDecodeLanes;
    float* weighted = from + 2 * kDecodeLanes;
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
