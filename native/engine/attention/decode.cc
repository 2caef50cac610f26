#include "engine/attention/decode.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/numbers.h"
#include "engine/attention/decodeRows.h"
#include "engine/matrix/readFloats.h"
#include "kernels/attention/attendPanel.h"

namespace fovea {

namespace {

constexpr float kHidden = -std::numeric_limits<float>::infinity();

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

// Scaled, a row's elements in the lanes: as DecodeBlock::queries says, which has zeros behind them.
void layOutQueries(const AttendProblem& p, const QueryRow* rows, float* queries, Scratch& scratch) {
  const Scratch::Scope scope(scratch);
  const int count = static_cast<int>(p.rows), all = paddedRows(count);
  const float by = p.scale * kLog2e;
  float* query = scratch.floats(p.depth);
  for (int r = 0; r < count; ++r) {
    readFloats(rows[r].query, p.queryDtype, p.queryInner, query, p.depth);
    for (int k = 0; k < p.depth; ++k) {
      const int lane = k % kDecodeLanes;
      queries[(k - lane) * all + r * kDecodeLanes + lane] = query[k] * by;
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
  layOutQueries(p, rows, queries, scratch);
  for (int r = 0; r < count; ++r) {
    if (p.alibi) rows[r].settle(p.segments[0].keys);
    slopes[r] = rows[r].slope * kLog2e;
    if (rows[r].visible[0].begin >= rows[r].visible[0].end) continue;
    begin = std::min(begin, rows[r].visible[0].begin);
    end = std::max(end, rows[r].visible[0].end);
  }
  const Interval seenByRun{begin, std::min(end, run.end * kDecodePart)};
  begin = std::max(begin, partBegin) / kDecodeKeys * kDecodeKeys;
  end = std::min(end, partEnd);
  DecodeRows keys(p.segments[0].key, p.depth, {partBegin, partEnd}, seenByRun, scratch);
  DecodeRows values(p.segments[0].value, p.valueDepth, {partBegin, partEnd}, seenByRun, scratch);
  DecodeBlock block;
  block.depth = p.depth;
  block.valueDepth = p.valueDepth;
  block.keyDtype = keys.dtype();
  block.valueDtype = values.dtype();
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
  for (DecodeRows* source : {&keys, &values}) {
    if (begin >= end) break;
    if (part == run.begin) source->start(begin);
    source->seek(begin);
  }
  for (int64_t at = begin; at < end; at += kDecodeKeys) {
    const int64_t next = at + kDecodeKeys;
    keys.seek(next);
    values.seek(next);
    block.keys = static_cast<int>(std::min<int64_t>(partEnd - at, kDecodeKeys));
    block.keyRows = keys.at(at);
    block.valueRows = values.at(at);
    block.nextKeys = keys.at(next);
    block.nextValues = values.at(next);
    block.laterKeys = keys.later(at);
    block.laterValues = values.later(at);
    block.hides = addend != nullptr;
    for (int r = 0; r < count; ++r) {
      const Interval& seen = rows[r].visible[0];
      const int64_t stop = at + block.keys;
      first[r] = static_cast<int>(std::clamp(seen.begin, at, stop) - at);
      last[r] = static_cast<int>(std::clamp(seen.end, at, stop) - at);
      positions[r] = static_cast<float>(rows[r].position - at);
      block.hides = block.hides || first[r] > 0 || last[r] < block.keys;
    }
    const bool plain = !block.hides && !terms && block.keys == kDecodeKeys;
    block.begin = plain ? nullptr : first;
    block.end = plain ? nullptr : last;
    if (addend) gatherAddend(p, rows, at, block.keys, addend);
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
