// Neighborhood attention, Hassani et al. 2023; see lib/ops/neighborhoodAttention.ts.
//
// A problem is a row of queries along the last axis, of equal remainder by its dilation: they see
// the same coordinates of the leading axes. Their keys are listed by the last coordinate first and
// the leading ones within, so that what a query sees is an interval of the list.
#include <algorithm>
#include <numeric>

#include "core/registry.h"
#include "engine/attention/attend.h"
#include "engine/attention/latticeLanes.h"
#include "keysets/neighborhood.h"
#include "ops/shared/attentionTensors.h"

namespace fovea {

namespace {

enum Slot { kQuery, kKey, kValue, kRpb, kOut, kLse };

constexpr int kMostAxes = 3;

// Sizes and windows of a call, axis by axis.
struct Shape {
  int axes;
  NeighborhoodAxis axis[kMostAxes];
  int64_t batch, heads;
  float scale;

  explicit Shape(const Call& call)
      : axes(call.tensor(kQuery).rank - 3),
        batch(call.tensor(kQuery).shape[0]),
        heads(call.tensor(kQuery).shape[axes + 1]),
        scale(static_cast<float>(call.number(4 * axes))) {
    for (int a = 0; a < axes; ++a)
      axis[a] = {call.tensor(kQuery).shape[a + 1], call.integer(a), call.integer(axes + a),
                 call.integer(2 * axes + a), call.flag(3 * axes + a)};
  }
  const NeighborhoodAxis& last() const { return axis[axes - 1]; }
  int64_t rows() const {
    int64_t n = batch * heads * last().dilation;
    for (int a = 0; a < axes - 1; ++a) n *= axis[a].length;
    return n;
  }
  // The most keys at each step along a row.
  int64_t mostLeading() const {
    int64_t n = 1;
    for (int a = 0; a < axes - 1; ++a) n *= axis[a].kernel;
    return n;
  }
};

// The row of that number: batch entry, head, leading coordinates, remainder along the last axis.
struct Row {
  int64_t b, h, remainder, queries;
  int64_t at[kMostAxes] = {};
  // Along each leading axis: the first coordinate of the keys, and how many there are.
  int64_t first[kMostAxes] = {}, count[kMostAxes] = {};
  int64_t leading = 1;

  Row(const Shape& x, int64_t index) {
    remainder = index % x.last().dilation;
    queries = x.last().steps(remainder);
    index /= x.last().dilation;
    for (int a = x.axes - 2; a >= 0; --a) {
      const NeighborhoodAxis& axis = x.axis[a];
      at[a] = index % axis.length;
      index /= axis.length;
      const int64_t own = at[a] % axis.dilation;
      const Interval seen = axis.visible(at[a] / axis.dilation, axis.steps(own));
      first[a] = seen.begin * axis.dilation + own;
      count[a] = seen.end - seen.begin;
      leading *= count[a];
    }
    h = index % x.heads;
    b = index / x.heads;
  }

  // Calls visit(n, coordinates) for the leading coordinates of the keys, in order.
  template <class Visit>
  void forEachLeading(const Shape& x, Visit&& visit) const {
    int64_t coordinates[kMostAxes] = {};
    for (int64_t n = 0; n < leading; ++n) {
      int64_t rest = n;
      for (int a = x.axes - 2; a >= 0; --a) {
        coordinates[a] = first[a] + rest % count[a] * x.axis[a].dilation;
        rest /= count[a];
      }
      visit(n, coordinates);
    }
  }

  // Where its query at a step lies in a tensor [B, ...spatial, H, ...].
  int64_t query(const Shape& x, const Tensor& t, int64_t step) const {
    int64_t offset = b * t.strides[0] + h * t.strides[x.axes + 1];
    for (int a = 0; a < x.axes - 1; ++a) offset += at[a] * t.strides[a + 1];
    return offset + (remainder + step * x.last().dilation) * t.strides[x.axes];
  }
};

// The keys or values of a row: element step * leading + n is the one at that step along the row and
// at leading coordinates number n.
KeyRows keysOf(const Shape& x, const Row& row, const Tensor& t, Scratch& scratch) {
  const int64_t along = x.last().dilation * t.strides[x.axes];
  int64_t unit = along;  // every offset is a multiple of it
  int64_t origin =
      row.b * t.strides[0] + row.h * t.strides[x.axes + 1] + row.remainder * t.strides[x.axes];
  for (int a = 0; a < x.axes - 1; ++a) {
    origin += row.first[a] * t.strides[a + 1];
    unit = std::gcd(unit, x.axis[a].dilation * t.strides[a + 1]);
  }
  KeyRows keys{t.at(origin), along, t.strides[x.axes + 2], nullptr, t.dtype};
  if (row.leading == 1) return keys;
  keys.stride = std::max<int64_t>(unit, 1);
  int32_t* listed = scratch.ints(row.queries * row.leading);
  row.forEachLeading(x, [&](int64_t n, const int64_t* coordinates) {
    int64_t offset = 0;
    for (int a = 0; a < x.axes - 1; ++a)
      offset += (coordinates[a] - row.first[a]) * t.strides[a + 1];
    for (int64_t step = 0; step < row.queries; ++step)
      listed[step * row.leading + n] = static_cast<int32_t>((offset + step * along) / keys.stride);
  });
  keys.index = listed;
  return keys;
}

// The relative position bias of a row: element (queries - 1 + away) * leading + n belongs to the
// key that lies `away` steps behind its query, at leading coordinates number n.
const float* biasOf(const Shape& x, const Row& row, const Tensor& rpb, Scratch& scratch) {
  const int64_t steps = 2 * row.queries - 1, middle = row.queries - 1;
  const int64_t reach = x.last().kernel - 1, along = rpb.strides[x.axes];
  float* bias = scratch.floats(steps * row.leading);
  std::fill(bias, bias + steps * row.leading, 0.0f);
  row.forEachLeading(x, [&](int64_t n, const int64_t* coordinates) {
    const float* from = rpb.floats() + row.h * rpb.strides[0];
    for (int a = 0; a < x.axes - 1; ++a)
      from += ((coordinates[a] - row.at[a]) / x.axis[a].dilation + x.axis[a].kernel - 1) *
              rpb.strides[a + 1];
    for (int64_t away = -reach; away <= reach; ++away)
      bias[(middle + away) * row.leading + n] = from[(away + reach) * along];
  });
  return bias;
}

// Small windows: segments of rows in the lanes. Coordinates of equal remainders by the dilations
// are a lattice; those of remainders [first, end) have one shape.
void attendLattices(const Call& call, const Shape& x, const Interval (&remainders)[kMostAxes]) {
  const int missing = Lattice::kAxes - x.axes;
  LatticeProblem p;
  p.together = x.heads;
  p.heads = x.batch * x.heads;
  for (int a = 0; a < x.axes; ++a) {
    p.heads *= remainders[a].end - remainders[a].begin;
    p.lattice.axis[missing + a] = x.axis[a];
    p.lattice.axis[missing + a].length = x.axis[a].steps(remainders[a].begin);
    p.lattice.axis[missing + a].dilation = 1;
  }
  p.depth = call.tensor(kQuery).shape[x.axes + 2];
  p.valueDepth = call.tensor(kValue).shape[x.axes + 2];
  p.scale = x.scale;
  const auto headOf = [&](int64_t index) {
    const int64_t h = index % x.heads;
    index /= x.heads;
    int64_t remainder[kMostAxes] = {};
    for (int a = x.axes - 1; a >= 0; --a) {
      const int64_t count = remainders[a].end - remainders[a].begin;
      remainder[a] = remainders[a].begin + index % count;
      index /= count;
    }
    const auto mapOf = [&](const Tensor& t) {
      LatticeMap map;
      int64_t origin = index * t.strides[0] + h * t.strides[x.axes + 1];
      map.dtype = t.dtype;
      if (t.rank > x.axes + 2) map.inner = t.strides[x.axes + 2];
      for (int a = 0; a < x.axes; ++a) {
        origin += remainder[a] * t.strides[a + 1];
        map.strides[missing + a] = x.axis[a].dilation * t.strides[a + 1];
      }
      map.data = t.at(origin);
      return map;
    };
    LatticeHead head;
    head.query = mapOf(call.tensor(kQuery));
    head.key = mapOf(call.tensor(kKey));
    head.value = mapOf(call.tensor(kValue));
    head.out = mapOf(call.tensor(kOut));
    if (call.tensor(kLse)) head.lse = mapOf(call.tensor(kLse));
    if (const Tensor& rpb = call.tensor(kRpb)) {
      head.bias.data = rpb.floats() + h * rpb.strides[0];
      for (int a = 0; a < x.axes; ++a) head.bias.strides[missing + a] = rpb.strides[a + 1];
    }
    return head;
  };
  p.headOf = headOf;
  attendLattice(call, p);
}

// Remainders that an axis has one step more of, and the others, axis by axis.
void attendInLanes(const Call& call, const Shape& x) {
  for (int kind = 0; kind < 1 << x.axes; ++kind) {
    Interval remainders[kMostAxes] = {};
    bool any = true;
    for (int a = 0; a < x.axes; ++a) {
      const int64_t longer = x.axis[a].length % x.axis[a].dilation;
      remainders[a] = kind >> a & 1 ? Interval{0, longer} : Interval{longer, x.axis[a].dilation};
      any &= remainders[a].begin < remainders[a].end;
    }
    if (any) attendLattices(call, x, remainders);
  }
}

// Large windows: panels of queries.
void attendInPanels(const Call& call, const Shape& x) {
  const Tensor &q = call.tensor(kQuery), &k = call.tensor(kKey), &v = call.tensor(kValue);
  const Tensor &rpb = call.tensor(kRpb), &out = call.tensor(kOut), &lse = call.tensor(kLse);
  const int64_t most = x.last().steps(0);
  const AttendExtent extent{x.rows(), most, most * x.mostLeading(), q.shape[x.axes + 2],
                            v.shape[x.axes + 2]};
  attend(call, extent, [&](int64_t index, FunctionRef<void(const AttendProblem&)> work) {
    const Row row(x, index);
    Scratch& scratch = Scratch::ofThread();
    const Scratch::Scope scope(scratch);
    AttendProblem p = problemOver(q, v, out, x.scale);
    p.rows = row.queries;
    p.segments[0] = {row.queries * row.leading, keysOf(x, row, k, scratch),
                     keysOf(x, row, v, scratch)};
    p.bias = static_cast<bool>(rpb);
    p.biasStride = 1;
    const float* bias = rpb ? biasOf(x, row, rpb, scratch) : nullptr;
    const auto describe = [&](int64_t step, QueryRow& r) {
      r.query = q.at(row.query(x, q, step));
      r.out = out.floats() + row.query(x, out, step);
      if (lse) r.lse = lse.floats() + row.query(x, lse, step);
      if (rpb) r.bias = bias + (row.queries - 1 - step) * row.leading;
      const Interval seen = x.last().visible(step, row.queries);
      r.visible[0] = {seen.begin * row.leading, seen.end * row.leading};
    };
    p.describe = describe;
    work(p);
  });
}

void run(const Call& call) {
  const Shape x(call);
  if (x.mostLeading() * x.last().kernel <= kMostLaneKeys)
    attendInLanes(call, x);
  else
    attendInPanels(call, x);
}

double flops(const Call& call) {
  const Shape x(call);
  const Tensor &q = call.tensor(kQuery), &v = call.tensor(kValue);
  return static_cast<double>(q.size()) * 2 *
         static_cast<double>(x.mostLeading() * x.last().kernel) *
         (1 + static_cast<double>(v.shape[x.axes + 2]) / static_cast<double>(q.shape[x.axes + 2]));
}

const Register registered({"neighborhoodAttention", run, flops});

}  // namespace

}  // namespace fovea
