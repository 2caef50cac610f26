// What calls of an operation look like, as the façade declares it from lib/ops: how many slots
// there are, which of them must be there, of which types and shapes. A call that has another form
// never reaches the operation, which relies on all of it. What sizes, parameters and indices must
// be to one another beyond that (heads divide the width) the façade alone knows.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/call.h"

namespace fovea {

class Form {
 public:
  // `numbers` is [symbols, P, T], P parameters of [kind, least, most, absent], T slots of
  // [flags, group or -1, the parameter under which it may be absent or -1, dtypes, least rank, most
  // rank, shapes, shape...], and a shape is [A, where its run stands or -1, the run's symbol, A
  // axes of [symbol, factor, constant]]. A run's symbol counts its axes, and those behind it are
  // their sizes. Null where that is not well formed.
  static std::unique_ptr<Form> of(const Op& op, std::span<const double> numbers);

  // What of a call is not of this form: a slot, kParameters, or kNothing. Of a call that only packs
  // weights, which has none of the other tensors, these alone count.
  static constexpr int kNothing = -1, kParameters = -2;
  int fault(const Call& call, bool packs) const;

  const Op& op() const { return *op_; }

 private:
  enum Kind { kAnything, kNumber, kWhole };
  enum Flag { kRequired = 1, kWeight = 2 };

  struct Parameter {
    int kind;
    double least, most;
    double absent;  // allowed, too
    bool allows(double number) const;
  };
  struct Axis {
    int symbol;  // kNone: the constant alone; kAny: not told
    int64_t factor, constant;
  };
  struct Shape {
    int axes, runAt, run;
    size_t first;  // of axes_
  };
  struct Slot {
    int flags;
    int group;  // all of a group are there, or none
    int absentWhen;
    int dtypes, leastRank, mostRank, shapes;
    size_t first;  // of shapes_
  };
  static constexpr int kNone = -1, kAny = -2;
  static constexpr int kMostSymbols = 1024, kMostGroups = 16;

  explicit Form(const Op& op) : op_(&op) {}
  bool mayBeAbsent(const Slot& slot, const Call& call, bool packs) const;
  bool suits(const Slot& slot, const Tensor& tensor, bool described, int64_t* sizes) const;
  bool agrees(const Shape& shape, const Tensor& tensor, int64_t* sizes) const;

  const Op* op_;
  int symbols_ = 0;
  std::vector<Parameter> parameters_;
  std::vector<Slot> slots_;
  std::vector<Shape> shapes_;
  std::vector<Axis> axes_;
};

// Forms have numbers, the same for the same declaration: every environment of the process declares
// them anew. -1 where there are too many.
int declareForm(const Op& op, std::span<const double> numbers, std::unique_ptr<Form> form);
// Null for a number that none has.
const Form* formNumbered(double number);

}  // namespace fovea
