#include "engine/attention/latticeLanes.h"

#include <algorithm>
#include <limits>

#include "core/ceilDiv.h"
#include "core/numbers.h"
#include "core/parallel.h"
#include "engine/attention/laneRows.h"
#include "kernels/attention/neighborTile.h"

namespace fovea {

namespace {

constexpr float kHidden = -std::numeric_limits<float>::infinity();
constexpr int64_t kTileFloats = 256 * 1024;  // most of a second-level cache
constexpr int64_t kLayoutKeys = 8;  // laying out a position costs what that many keys of it do
constexpr int64_t kTasksPerThread = 4;

int64_t sizeOf(Interval i) { return i.end - i.begin; }

// How the rows of a lattice are cut into segments. Windows lead by whole strides, so that they
// begin at the same positions of all segments.
struct Cut {
  NeighborhoodAxis axis;
  int64_t length = 0;  // of a segment: whole strides
  int64_t whole;       // columns in segments from the first one on
  int64_t before;      // positions before a segment, from the first window on
  int64_t window;

  explicit Cut(const NeighborhoodAxis& along) : axis(along), whole(along.length) {
    if (axis.causal) {
      // The leader of a last stride that is cut stands at the end of the row, not of a stride: it
      // is a segment of its own that ends there, too.
      whole -= axis.length % axis.stride;
      before = axis.kernel - axis.stride;
    } else {
      // All windows are the row: nothing is around them.
      if (axis.kernel == axis.length) axis.stride = axis.length;
      before = axis.kernel / 2 - axis.stride / 2;
    }
    window = axis.kernel;
  }
  int64_t segments() const { return ceilDiv(whole, length) + (whole < axis.length ? 1 : 0); }
  int64_t keys() const { return length - axis.stride + axis.kernel; }

  struct Segment {
    int64_t first;  // column
    Interval own;   // positions that it answers for
  };
  Segment segment(int64_t n) const {
    const int64_t first = n * length;
    if (first < whole) return {first, {0, std::min(length, whole - first)}};
    return {axis.length - axis.stride, {axis.stride - axis.length % axis.stride, axis.stride}};
  }
  // The column of a key that stands at column x, if the row were longer; -1 for zeros.
  int64_t column(int64_t x) const {
    if (x < 0) x = axis.causal ? -1 : x + axis.kernel;
    if (x >= axis.length && !axis.causal) x -= axis.kernel;
    return std::min(x, axis.length - 1);
  }
};

// Floats of the rows that a row of queries sees, and of its scores, queries and results.
int64_t tileFloats(const LatticeProblem& p, const Cut& cut) {
  const int64_t rows = p.lattice.axis[0].kernel * p.lattice.axis[1].kernel;
  const int64_t depth = p.depth + p.valueDepth;
  return laneTile().lanes * (rows * cut.keys() * depth + cut.length * (rows * cut.window + depth));
}

// The length for which least is computed, in the lanes of a last vector too, and laid out.
int64_t bestLength(const LatticeProblem& p, Cut cut) {
  const int64_t keys = p.lattice.axis[0].kernel * p.lattice.axis[1].kernel * cut.window;
  int64_t best = cut.axis.stride, least = std::numeric_limits<int64_t>::max();
  for (int64_t length = best; length < cut.whole + cut.axis.stride; length += cut.axis.stride) {
    cut.length = length;
    if (length > cut.axis.stride && tileFloats(p, cut) > kTileFloats) break;
    const int64_t cost = ceilDiv(p.heads * cut.segments(), int64_t{laneTile().lanes}) *
                         (length * keys + cut.keys() * kLayoutKeys);
    if (cost > least) continue;
    least = cost;
    best = length;
  }
  return best;
}

// Rows of queries [y.begin, y.end) at a step z, of one vector of segments, and the walk over them.
class SegmentWalk {
 public:
  SegmentWalk(const LatticeProblem& p, const Cut& cut, int64_t vector, int64_t z, Interval y,
              Scratch& scratch);
  void attend();

 private:
  Interval rowsSeen(int64_t y) const {
    const NeighborhoodAxis& down = p_.lattice.axis[1];
    return down.visible(y, down.length);
  }
  // Rows of keys are kept in a ring.
  int64_t slot(int64_t row, int64_t plane) const { return row % ring_ * sizeOf(planes_) + plane; }
  void place(const LatticeHead& head, const Cut::Segment& segment, int64_t lane, bool spare);
  void load(Interval rows);
  void addendsOf(int64_t y, Interval rows);
  void attendRow(int64_t y, Interval rows);

  const LatticeProblem& p_;
  const Cut& cut_;
  const int64_t z_;
  const Interval y_, planes_;
  const int64_t ring_;
  const LatticeHead first_;  // for strides, which are those of all heads
  const LaneRows keys_, values_, queries_, results_, lse_;
  const float* bias_[kMostLanes] = {};
  int64_t column_[kMostLanes] = {};  // of position 0
  bool hides_ = false;
  float* addends_ = nullptr;  // [position][row][window][lanes], if any
  Interval addendsOf_{0, 0};  // rows they hold, seen from that of the query
  int64_t loaded_;
  const float **key_, **value_;  // [rows of keys]
  TokenRow stored_[kMostLanes];  // where the results of a row go
  TokensAhead ahead_;
  NeighborBlock block_;
};

SegmentWalk::SegmentWalk(const LatticeProblem& p, const Cut& cut, int64_t vector, int64_t z,
                         Interval y, Scratch& scratch)
    : p_(p),
      cut_(cut),
      z_(z),
      y_(y),
      planes_(p.lattice.axis[0].visible(z, p.lattice.axis[0].length)),
      ring_(p.lattice.axis[1].kernel),
      first_(p.headOf(0)),
      keys_(LaneRows::Beside::kPositions, cut.keys(), p.depth, ring_ * sizeOf(planes_), scratch),
      values_(LaneRows::Beside::kElements, cut.keys(), p.valueDepth, ring_ * sizeOf(planes_),
              scratch),
      queries_(LaneRows::Beside::kPositions, cut.length, p.depth, 1, scratch),
      results_(LaneRows::Beside::kElements, cut.length, p.valueDepth, 1, scratch),
      lse_(LaneRows::Beside::kPositions, cut.length, 1, 1, scratch),
      loaded_(rowsSeen(y.begin).begin) {
  const int64_t lanes = laneTile().lanes, segments = cut.segments();
  for (int64_t lane = 0; lane < lanes; ++lane) {
    // Heads beside each other in memory, then segments, then others; spare lanes repeat the last.
    const int64_t n = std::min(vector * lanes + lane, p.heads * segments - 1);
    const int64_t together = n % p.together, rest = n / p.together;
    place(p.headOf(rest / segments * p.together + together), cut.segment(rest % segments), lane,
          n < vector * lanes + lane);
  }
  const int64_t keyRows = ring_ * sizeOf(planes_),
                floats = cut.length * keyRows * cut.window * lanes;
  key_ = scratch.array<const float*>(2 * keyRows);
  value_ = key_ + keyRows;
  if (hides_ || first_.bias.data) addends_ = scratch.floats(floats);
  block_.depth = static_cast<int>(p.depth);
  block_.valueDepth = static_cast<int>(p.valueDepth);
  block_.positions = static_cast<int>(cut.length);
  block_.window = static_cast<int>(cut.window);
  block_.stride = static_cast<int>(cut.axis.stride);
  block_.grows = cut.axis.causal;
  block_.query = queries_.at(0);
  block_.queryStep = queries_.step();
  block_.key = key_;
  block_.keyStep = keys_.step();
  block_.value = value_;
  block_.valueStep = values_.step();
  block_.scale = p.scale * kLog2e;
  block_.addend = addends_;
  block_.scores = scratch.floats(floats);
  block_.shares = scratch.floats(cut.length * lanes);
  block_.out = results_.at(0);
  block_.outStep = results_.step();
  block_.lse = first_.lse.data ? lse_.at(0) : nullptr;
  block_.ahead = &ahead_;
}

// Where the tokens of a lane stand.
void SegmentWalk::place(const LatticeHead& head, const Cut::Segment& segment, int64_t lane,
                        bool spare) {
  const int64_t last = cut_.axis.length - 1;
  const auto at = [](const LatticeMap& map, int64_t x) {
    return static_cast<float*>(elementAt(map.data, map.dtype, x * map.strides[2]));
  };
  for (int64_t p = 0; p < cut_.keys(); ++p) {
    const int64_t x = cut_.column(segment.first - cut_.before + p);
    hides_ |= x < 0;
    if (x < 0) continue;
    keys_.token(p, lane) = at(head.key, x);
    values_.token(p, lane) = at(head.value, x);
  }
  for (int64_t p = 0; p < cut_.length; ++p) {
    const int64_t x = segment.first + p;
    queries_.token(p, lane) = at(head.query, std::min(x, last));
    if (spare || p < segment.own.begin || p >= segment.own.end) continue;
    results_.token(p, lane) = at(head.out, x);
    if (head.lse.data) lse_.token(p, lane) = at(head.lse, x);
  }
  column_[lane] = segment.first;
  bias_[lane] = static_cast<const float*>(head.bias.data);
}

void SegmentWalk::load(Interval rows) {
  for (int64_t row = std::max(loaded_, rows.begin); row < rows.end; ++row)
    for (int64_t z = planes_.begin; z < planes_.end; ++z) {
      const int64_t to = slot(row, z - planes_.begin);
      keys_.load(to, first_.key, z, row);
      values_.load(to, first_.value, z, row);
    }
  loaded_ = std::max(loaded_, rows.end);
}

// What is added to the scores of a row of queries: its bias where there is one, and what its lanes
// do not see. The same for all rows that see rows at the same distances.
void SegmentWalk::addendsOf(int64_t y, Interval rows) {
  const Interval away{rows.begin - y, rows.end - y};
  if (away.begin == addendsOf_.begin && away.end == addendsOf_.end) return;
  addendsOf_ = away;
  const NeighborhoodAxis* axis = p_.lattice.axis;
  const int64_t lanes = laneTile().lanes;
  for (int64_t p = 0; p < cut_.length; ++p) {
    const int64_t inStride = p % cut_.axis.stride;
    const int64_t seen =
        cut_.axis.causal ? cut_.window - (cut_.axis.stride - 1 - inStride) : cut_.window;
    for (int64_t e = 0; e < seen; ++e) {
      const float* bias[kMostLanes];
      float otherwise[kMostLanes];
      for (int64_t lane = 0; lane < lanes; ++lane) {
        const int64_t x = column_[lane] + p;
        const int64_t key = cut_.column(x - inStride - cut_.before + e);
        otherwise[lane] = key < 0 ? kHidden : 0;
        bias[lane] = bias_[lane] && x < axis[2].length
                         ? bias_[lane] + (key - x + axis[2].kernel - 1) * first_.bias.strides[2]
                         : nullptr;
      }
      float* to = addends_ + (p * block_.keyRows * cut_.window + e) * lanes;
      for (int64_t row = away.begin; row < away.end; ++row)
        for (int64_t z = planes_.begin; z < planes_.end; ++z, to += seen * lanes) {
          const int64_t at =
              first_.bias.offset(z - z_ + axis[0].kernel - 1, row + axis[1].kernel - 1);
          for (int64_t lane = 0; lane < lanes; ++lane)
            to[lane] = bias[lane] ? kLog2e * bias[lane][at] : otherwise[lane];
        }
    }
  }
}

void SegmentWalk::attendRow(int64_t y, Interval rows) {
  block_.keyRows = static_cast<int>(sizeOf(rows) * sizeOf(planes_));
  for (int64_t row = rows.begin, n = 0; row < rows.end; ++row)
    for (int64_t plane = 0; plane < sizeOf(planes_); ++plane, ++n) {
      key_[n] = keys_.at(slot(row, plane));
      value_[n] = values_.at(slot(row, plane));
    }
  if (addends_) addendsOf(y, rows);
  TokenRow* end = stored_;
  results_.foresee(first_.out, z_, y, end);
  ahead_ = TokensAhead(stored_, end, neighborTile().asks(block_));
  neighborTile().attend(block_);
}

void SegmentWalk::attend() {
  for (int64_t y = y_.begin; y < y_.end; ++y) {
    const Interval rows = rowsSeen(y);
    load(rows);
    queries_.load(0, first_.query, z_, y);
    attendRow(y, rows);
    results_.store(0, first_.out, z_, y);
    if (first_.lse.data) lse_.store(0, first_.lse, z_, y);
  }
}

}  // namespace

void attendLattice(const Call& call, const LatticeProblem& p) {
  if (p.heads <= 0) return;
  Cut cut(p.lattice.axis[2]);
  cut.length = bestLength(p, cut);
  const int64_t vectors = ceilDiv(p.heads * cut.segments(), int64_t{laneTile().lanes});
  const int64_t steps = p.lattice.axis[0].length, rows = p.lattice.axis[1].length;
  // Parts of the rows repeat the keys around them: only as many as the threads ask for.
  const int64_t wanted =
      call.threads > 1 ? ceilDiv(kTasksPerThread * call.threads, vectors * steps) : 1;
  const int64_t least = std::max<int64_t>(2 * p.lattice.axis[1].kernel, 12);
  const int64_t down = std::clamp<int64_t>(wanted, 1, std::max<int64_t>(rows / least, 1));
  const int64_t part = ceilDiv(rows, down);
  parallelFor(call, vectors * steps * down, [&](int64_t task, Scratch& scratch) {
    const int64_t y = task % down * part, z = task / down % steps;
    if (y >= rows) return;
    SegmentWalk(p, cut, task / down / steps, z, {y, std::min(y + part, rows)}, scratch).attend();
  });
}

}  // namespace fovea
