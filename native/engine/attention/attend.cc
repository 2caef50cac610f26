#include "engine/attention/attend.h"

#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"
#include "engine/attention/attendChunk.h"
#include "engine/attention/decode.h"

namespace fovea {

namespace {

// Rows of a chunk times D + Dv: half a megabyte of state, which leaves room for two blocks of keys
// and values in a second-level cache of a megabyte.
constexpr int64_t kChunkFloats = 128 * 1024;
// Where problems share addends: panels of each of them at least, and problems of a chunk at most.
constexpr int64_t kTogetherPanels = 5;
constexpr int64_t kMostTogether = 8;
constexpr int64_t kMostSharing = 16;  // panels whose addends are kept, 28 KB each
// Chunks that every thread should find at least, so that the last ones end together. More would be
// of few panels where 512 queries share their keys.
constexpr int64_t kChunksAThread = 10;
// Problems of few queries from which on every thread takes whole ones, and no part of their keys.
constexpr int64_t kProblemsAThread = 4;

// Builds `count` problems from `index` on and does the work while all of them live.
void withProblems(FunctionRef<AttendBody> body, int64_t index, int64_t count,
                  const AttendProblem** made, FunctionRef<void()> work) {
  if (count == 0) return work();
  body(index, [&](const AttendProblem& problem) {
    *made = &problem;
    withProblems(body, index + 1, count - 1, made + 1, work);
  });
}

// Problems of more than `few` rows.
void attendTiles(const Call& call, const AttendExtent& x, int64_t few,
                 FunctionRef<AttendBody> body) {
  const int64_t width = std::max<int64_t>(1, x.depth + x.valueDepth);
  int64_t panels = std::max<int64_t>(1, kChunkFloats / width / kPanel);
  const int64_t all = ceilDiv(x.rows, kPanel);
  if (call.threads > 1) {
    const int64_t share = x.problems * all / (kChunksAThread * call.threads);
    panels = std::clamp<int64_t>(share, 1, panels);
  }
  const int64_t most = std::clamp<int64_t>(panels / std::min(all, kTogetherPanels), 1,
                                           std::min<int64_t>(x.alike, kMostTogether));
  const int64_t teams = ceilDiv(x.alike, most);
  const int64_t together = ceilDiv(x.alike, teams);
  if (together > 1) panels = std::clamp<int64_t>(panels / together, 1, kMostSharing);
  // Chunks of equal size rather than a short last one.
  const int64_t chunks = ceilDiv(all, panels);
  panels = ceilDiv(all, chunks);
  parallelFor(call, x.problems / x.alike * teams * chunks, [&](int64_t task, Scratch& scratch) {
    // Last rows first: under a causal mask they see the most keys.
    const int64_t first = (chunks - 1 - task % chunks) * panels;
    const int64_t begin = task / chunks % teams * together;
    const int64_t end = std::min(begin + together, x.alike);
    const AttendProblem* problems[kMostTogether] = {};
    withProblems(body, task / chunks / teams * x.alike + begin, end - begin, problems, [&] {
      // A problem may have fewer rows than the largest.
      const int64_t count = std::min(panels, ceilDiv(problems[0]->rows, kPanel) - first);
      if (count <= 0 || problems[0]->rows <= few) return;
      const Scratch::Scope scope(scratch);
      AttendChunk(problems, static_cast<int>(end - begin), first, count, scratch).attend();
    });
  });
}

void attendFew(const Call& call, const AttendExtent& x, FunctionRef<AttendBody> body) {
  const auto partsOf = [](int64_t keys) {
    return std::max<int64_t>(1, ceilDiv(keys, kDecodePart));
  };
  const int64_t parts = partsOf(x.keys), partFloats = decodeStateFloats(x.valueDepth);
  const int64_t rowStride = parts * partFloats;
  const int64_t stateFloats = std::min<int64_t>(x.rows, kDecodeRows) * rowStride;
  // Does nothing for a problem that is not of few rows: panels have it.
  const auto attendParts = [&](int64_t problem, Interval wanted, bool join, float* state,
                               Scratch& scratch) {
    body(problem, [&](const AttendProblem& p) {
      if (p.rows <= 0 || p.rows > kDecodeRows) return;
      const int64_t own = partsOf(p.segments[0].keys);
      for (int64_t part = wanted.begin; part < std::min(wanted.end, own); ++part)
        decodePart(p, part, wanted, state + part * partFloats, rowStride, scratch);
      if (join) decodeJoin(p, own, state, rowStride, scratch);
    });
  };
  if (parts == 1 || x.problems >= kProblemsAThread * call.threads) {
    parallelFor(call, x.problems, [&](int64_t problem, Scratch& scratch) {
      attendParts(problem, {0, parts}, true, scratch.floats(stateFloats), scratch);
    });
    return;
  }
  Scratch& shared = Scratch::ofThread();
  const Scratch::Scope scope(shared);
  float* states = shared.floats(x.problems * stateFloats);
  parallelFor(call, x.problems * parts, [&](int64_t task, Scratch& scratch) {
    const int64_t problem = task / parts, part = task % parts;
    attendParts(problem, {part, part + 1}, false, states + problem * stateFloats, scratch);
  });
  parallelFor(call, x.problems, [&](int64_t problem, Scratch& scratch) {
    attendParts(problem, {0, 0}, true, states + problem * stateFloats, scratch);
  });
}

}  // namespace

void attendHere(const AttendProblem& problem, Scratch& scratch) {
  const Scratch::Scope scope(scratch);
  const AttendProblem* only = &problem;
  AttendChunk(&only, 1, 0, ceilDiv(problem.rows, kPanel), scratch).attend();
}

void attend(const Call& call, const AttendExtent& x, FunctionRef<AttendBody> body) {
  if (x.problems <= 0 || x.rows <= 0) return;
  const bool few = x.plain && std::min(x.leastRows, x.rows) <= kDecodeRows;
  if (few) attendFew(call, x, body);
  if (!few || x.rows > kDecodeRows) attendTiles(call, x, few ? kDecodeRows : 0, body);
}

}  // namespace fovea
