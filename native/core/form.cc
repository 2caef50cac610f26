#include "core/form.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

namespace fovea {

namespace {

constexpr int kMostForms = 1 << 14;
constexpr int kMostEntries = 1 << 16;

std::atomic<const Form*> forms[kMostForms];

// Without SSE4.1 std::trunc is a call.
bool isWhole(double number) {
  return std::abs(number) < 0x1p53 && number == static_cast<double>(static_cast<int64_t>(number));
}

// Takes the numbers of a declaration one by one.
class Reader {
 public:
  explicit Reader(std::span<const double> numbers) : numbers_(numbers) {}

  double next() {
    if (at_ == numbers_.size() || std::isnan(numbers_[at_])) ok_ = false;
    return ok_ ? numbers_[at_++] : 0;
  }
  int whole(int least, int most) {
    const double number = next();
    if (!(number >= least && number <= most) || !isWhole(number)) ok_ = false;
    return ok_ ? static_cast<int>(number) : 0;
  }
  bool ok() const { return ok_; }
  bool ended() const { return ok_ && at_ == numbers_.size(); }

 private:
  std::span<const double> numbers_;
  size_t at_ = 0;
  bool ok_ = true;
};

// A size that is known must be this one; one that is not becomes it.
bool bind(int64_t& known, int64_t size) {
  if (known < 0) known = size;
  return known == size;
}

}  // namespace

std::unique_ptr<Form> Form::of(const Op& op, std::span<const double> numbers) {
  std::unique_ptr<Form> form(new Form(op));
  Reader reader(numbers);
  form->symbols_ = reader.whole(0, kMostSymbols);
  const int parameters = reader.whole(0, kMostEntries), slots = reader.whole(0, kMostEntries);
  for (int i = 0; i < parameters && reader.ok(); ++i) {
    const int kind = reader.whole(kAnything, kWhole);
    const double least = reader.next(), most = reader.next();
    form->parameters_.push_back({kind, least, most, reader.next()});
  }
  const int lastSymbol = form->symbols_ - 1;
  for (int i = 0; i < slots && reader.ok(); ++i) {
    Slot slot;
    slot.flags = reader.whole(0, kRequired | kWeight);
    slot.group = reader.whole(-1, kMostGroups - 1);
    slot.absentWhen = reader.whole(-1, parameters - 1);
    slot.dtypes = reader.whole(0, 31);
    slot.leastRank = reader.whole(0, 32);
    slot.mostRank = reader.whole(0, 32);
    slot.shapes = reader.whole(0, kMostEntries);
    slot.first = form->shapes_.size();
    for (int n = 0; n < slot.shapes && reader.ok(); ++n) {
      Shape shape;
      shape.axes = reader.whole(0, 32);
      shape.runAt = reader.whole(-1, shape.axes);
      // Of a run, as many symbols as it may have axes stand behind its own.
      shape.run = reader.whole(0, shape.runAt < 0 ? 0 : lastSymbol - 32);
      shape.first = form->axes_.size();
      for (int axis = 0; axis < shape.axes && reader.ok(); ++axis) {
        const int symbol = reader.whole(kAny, lastSymbol);
        const int factor = reader.whole(1, 512);
        form->axes_.push_back({symbol, factor, reader.whole(-kMostEntries, kMostEntries)});
      }
      form->shapes_.push_back(shape);
    }
    form->slots_.push_back(slot);
  }
  return reader.ended() ? std::move(form) : nullptr;
}

bool Form::Parameter::allows(double number) const {
  if (kind == kAnything || number == absent) return true;
  if (!(number >= least && number <= most)) return false;
  return kind == kNumber || isWhole(number);
}

int Form::fault(const Call& call, bool packs) const {
  if (call.params.size() < parameters_.size()) return kParameters;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].allows(call.params[i])) return kParameters;
  }
  int64_t sizes[kMostSymbols];
  std::fill_n(sizes, symbols_, int64_t{-1});
  const size_t count = call.tensors.size();
  int64_t groups[kMostGroups];
  std::fill_n(groups, kMostGroups, int64_t{-1});
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (i == count) return static_cast<int>(i);
    const Tensor& tensor = call.tensors[i];
    const Slot& slot = slots_[i];
    const bool described = call.packed && (slot.flags & kWeight);
    if (tensor.described() ? !suits(slot, tensor, described, sizes)
                           : !mayBeAbsent(slot, call, packs)) {
      return static_cast<int>(i);
    }
    if (slot.group >= 0 && !bind(groups[slot.group], tensor.described()))
      return static_cast<int>(i);
  }
  return count > slots_.size() ? static_cast<int>(slots_.size()) : kNothing;
}

bool Form::mayBeAbsent(const Slot& slot, const Call& call, bool packs) const {
  if (!(slot.flags & kRequired)) return true;
  if (packs && !(slot.flags & kWeight)) return true;
  return slot.absentWhen >= 0 && call.flag(slot.absentWhen);
}

bool Form::suits(const Slot& slot, const Tensor& tensor, bool described, int64_t* sizes) const {
  if (!tensor.data && !described) return false;
  if (!((slot.dtypes >> static_cast<int>(tensor.dtype)) & 1)) return false;
  if (tensor.rank < slot.leastRank || tensor.rank > slot.mostRank) return false;
  for (int n = 0; n < slot.shapes; ++n) {
    const Shape& shape = shapes_[slot.first + static_cast<size_t>(n)];
    if (shape.runAt < 0 ? shape.axes == tensor.rank : shape.axes <= tensor.rank)
      return agrees(shape, tensor, sizes);
  }
  return false;
}

bool Form::agrees(const Shape& shape, const Tensor& tensor, int64_t* sizes) const {
  const int runAxes = tensor.rank - shape.axes;
  const int runAt = shape.runAt < 0 ? tensor.rank : shape.runAt;
  if (shape.runAt >= 0 && !bind(sizes[shape.run], runAxes)) return false;
  const Axis* axis = axes_.data() + shape.first;
  for (int i = 0; i < tensor.rank; ++i) {
    const int64_t size = tensor.shape[i];
    if (i >= runAt && i < runAt + runAxes) {
      if (!bind(sizes[shape.run + 1 + i - runAt], size)) return false;
      continue;
    }
    const auto [symbol, factor, constant] = *axis++;
    if (symbol == kAny) continue;
    if (symbol == kNone) {
      if (size != constant) return false;
    } else if (factor == 1) {
      if (size < constant || !bind(sizes[symbol], size - constant)) return false;
    } else if (size < constant || (size - constant) % factor != 0 ||
               !bind(sizes[symbol], (size - constant) / factor)) {
      return false;
    }
  }
  return true;
}

int declareForm(const Op& op, std::span<const double> numbers, std::unique_ptr<Form> form) {
  static std::mutex mutex;
  // Leaked, as the forms are: threads may still read them while the process exits.
  static auto* known = new std::map<std::pair<const Op*, std::vector<double>>, int>;
  const std::lock_guard lock(mutex);
  const int number = static_cast<int>(known->size());
  const auto [entry, isNew] =
      known->try_emplace({&op, std::vector<double>(numbers.begin(), numbers.end())}, number);
  if (!isNew) return entry->second;
  if (number >= kMostForms) {
    known->erase(entry);
    return -1;
  }
  forms[number].store(form.release(), std::memory_order_release);
  return number;
}

const Form* formNumbered(double number) {
  if (!(number >= 0 && number < kMostForms && isWhole(number))) return nullptr;
  return forms[static_cast<int>(number)].load(std::memory_order_acquire);
}

}  // namespace fovea
