// The schedule of softmax attention: which panels of queries meet which blocks of keys, in which
// order, on which thread. An operation describes problems, and the rows of each; the loops, the
// scratch and the kernel calls are here.
//
// Rows are cut into panels of 48 queries, panels into chunks. A chunk keeps its running state in
// scratch and walks the keys once, block by block, all its panels at each block: keys and values
// are read from memory once a chunk, whatever the length. Blocks and panels are cut by the numbers
// of keys and of rows, so the bits of a row depend on its own problem alone. Panels that see few of
// the keys, in windows, walk alone (LoneWalk).
//
// Scratch a thread: chunk (D + Dv) 4 bytes <= 0.5 MB (0.1 MB a panel of D + Dv = 512), and
// at most 27 KB of scores; 28 KB for each of at most 16 panels where problems share a bias; 256 KB
// a segment where panels walk alone by keys and values that are copied. Nothing grows with the
// number of keys.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <new>

#include "core/call.h"
#include "core/functionRef.h"
#include "core/scratch.h"
#include "keysets/band.h"

namespace fovea {

// Keys or values: row j begins (index ? index[j] : j) * stride elements behind data.
struct KeyRows {
  const void* data = nullptr;
  int64_t stride = 0;
  int64_t inner = 1;
  const int32_t* index = nullptr;
  Dtype dtype = Dtype::kFloat32;

  const void* row(int64_t j) const {
    return static_cast<const char*>(data) + (index ? index[j] : j) * stride * byteSize(dtype);
  }
  // rows[i] becomes row first + i.
  template <class Element>
  void list(int64_t first, int count, const Element** rows) const {
    if (index) {
      for (int i = 0; i < count; ++i) rows[i] = static_cast<const Element*>(row(first + i));
      return;
    }
    const auto* begin = static_cast<const char*>(row(first));
    const int64_t step = stride * byteSize(dtype);
    for (int i = 0; i < count; ++i) {
      rows[i] = static_cast<const Element*>(static_cast<const void*>(begin + i * step));
    }
  }
};

// A list of keys that every query of a problem may look into; each sees an interval of it.
struct KeySegment {
  int64_t keys = 0;
  KeyRows key, value;
};

constexpr int kMaxSegments = 4;

// What one query reads, sees and writes.
struct QueryRow {
  const void* query = nullptr;
  float* out = nullptr;
  float* lse = nullptr;            // null where it is not asked for
  float* state = nullptr;          // [2] written beside out, for a call that goes on from here
  Interval visible[kMaxSegments];  // of each segment
  const float* bias = nullptr;     // of the first segment's key 0
  const uint8_t* mask = nullptr;
  int64_t position = 0;  // among the first segment's keys, for ALiBi
  float slope = 0;
  float sink = 0;

  // A query before or behind all keys has the same distance to cross for each of them, which only
  // costs digits: it is moved to the nearest key. Returns what its scores are then too high by.
  float settle(int64_t keys) {
    const int64_t nearest = std::clamp<int64_t>(position, 0, std::max<int64_t>(keys - 1, 0));
    const float excess = slope * static_cast<float>(std::abs(position - nearest));
    position = nearest;
    sink += excess;
    return excess;
  }
};

// What tells the rows of a problem: any callable (int64_t row, QueryRow&) that outlives the
// problem. It is called for many rows at a time, so that a row costs no call of its own.
class RowDescriber {
 public:
  RowDescriber() = default;
  template <class F>
  RowDescriber(const F& describe)  // NOLINT: as a function parameter would be
      : object_(&describe), call_([](const void* object, int64_t first, int count, QueryRow* rows) {
          const F& f = *static_cast<const F*>(object);
          for (int i = 0; i < count; ++i) f(first + i, *new (rows + i) QueryRow);
        }) {}
  // rows[i], whatever was there, becomes row first + i.
  void operator()(int64_t first, int count, QueryRow* rows) const {
    call_(object_, first, count, rows);
  }

 private:
  const void* object_ = nullptr;
  void (*call_)(const void*, int64_t, int, QueryRow*) = nullptr;
};

// Queries that may share keys: one batch entry and one key head, with all the query heads that use
// it.
struct AttendProblem {
  int64_t rows = 0;
  int depth = 0;
  int valueDepth = 0;
  int segmentCount = 1;
  KeySegment segments[kMaxSegments];
  Dtype queryDtype = Dtype::kFloat32;
  int64_t queryInner = 1;
  int64_t outInner = 1;
  float scale = 1;
  float softcap = 0;
  bool alibi = false;
  bool sinks = false;
  // Bias and mask belong to the first segment; strides along its keys.
  bool bias = false;
  bool mask = false;
  int64_t biasStride = 0;
  int64_t maskStride = 0;
  // Go on from the out and state that the rows hold: the way to join two parts of a pattern.
  bool resume = false;
  RowDescriber describe;
};

// A problem of few rows, as one chunk on the calling thread.
void attendHere(const AttendProblem& problem, Scratch& scratch);

// What the problems of a call have in common; `rows` and `keys` are the most that any of them has.
struct AttendExtent {
  int64_t problems = 0, rows = 0, keys = 0;
  int64_t depth = 0, valueDepth = 0;
  // False where a problem has a second segment or goes on from what is there: few queries then take
  // the panels too, which decoding does not replace.
  bool plain = true;
  int64_t leastRows = INT64_MAX;  // the fewest that any has, where they differ
  // That many consecutive problems, of which `problems` is a multiple, have rows of the same biases
  // and masks, see the same keys and differ in nothing but the memory of queries, keys, values and
  // results: they may meet a block of keys one after the other.
  int64_t alike = 1;
};

// Builds the problem of that index and hands it to `work`, which does a share of it and returns.
using AttendBody = void(int64_t index, FunctionRef<void(const AttendProblem&)> work);

// All problems of a call: cut into tasks, on the call's threads.
void attend(const Call& call, const AttendExtent& extent, FunctionRef<AttendBody> body);

}  // namespace fovea
