// What happens to finished values of a feature map before they are written, as data: every layer
// that computes a map (convolution, resize, the last pass of a gate) ends in a list of steps,
// applied to one row of one channel at a time while it lies in the first-level cache.
//
//   const MapStep steps[] = {MapStep::affine(bn), MapStep::activate(Activation::kRelu),
//                            MapStep::add(x), MapStep::store(out)};
//
// A step reads the element of a map that stands where the value stands, so residuals and gates of
// any layout take part as they lie. An axis of size 1 stands for all its positions, so that [B, C],
// [B, 1, H, W] and [1, C] are gates too. A map may be stored to the very elements another step has
// read.
#pragma once
#include <cstdint>
#include <span>

#include "engine/maps/featureMap.h"
#include "kernels/matrix/activation.h"

namespace fovea {

// (v - centre) * scale + shift by channel, [channels] each or null: 0, 1, 0. A bias is a shift
// alone; a batch norm is (running_mean, weight / sqrt(running_var + eps), bias).
struct ChannelAffine {
  const float* centre = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;

  explicit operator bool() const { return centre || scale || shift; }
  float centreOf(int64_t c) const { return centre ? centre[c] : 0.0f; }
  float scaleOf(int64_t c) const { return scale ? scale[c] : 1.0f; }
  float shiftOf(int64_t c) const { return shift ? shift[c] : 0.0f; }
};

struct MapStep {
  enum class Kind : uint8_t { kAffine, kMultiply, kAdd, kModulate, kStore };

  static MapStep affine(ChannelAffine by, Activation then = Activation::kNone) {
    MapStep step;
    step.channel = by;
    step.activation = then;
    return step;
  }
  static MapStep activate(Activation activation) { return affine({}, activation); }
  static MapStep multiply(const FeatureMap& map) { return {Kind::kMultiply, map}; }  // v * m
  static MapStep add(const FeatureMap& map) { return {Kind::kAdd, map}; }            // v + m
  static MapStep modulate(const FeatureMap& map) { return {Kind::kModulate, map}; }  // (1 + v) * m
  static MapStep store(const FeatureMap& map) { return {Kind::kStore, map}; }        // m = v
  // The same as a last step, past the caches where `whole`, of which the map is a part, is larger
  // than these and not what `x` holds there already.
  static MapStep storeOf(const FeatureMap& map, const FeatureMap& whole, const FeatureMap& x) {
    MapStep step = store(map);
    constexpr int64_t kFarElements = 1 << 22;
    step.streams =
        whole.data != x.data && whole.batch * whole.channels * whole.positions() >= kFarElements;
    return step;
  }

  MapStep() = default;
  MapStep(Kind k, const FeatureMap& m) : kind(k), map(m) {}

  Kind kind = Kind::kAffine;
  FeatureMap map;
  ChannelAffine channel;
  Activation activation = Activation::kNone;
  bool streams = false;
};

// Which positions of which channel a row holds.
struct MapPlace {
  int64_t b, c, z, y, x;
};

// A list of steps, ready to be applied; a copy, so that it can be changed.
class MapSteps {
 public:
  static constexpr int kMost = 8;

  // At most kMost of them.
  explicit MapSteps(std::span<const MapStep> steps);

  // Whether all maps keep their positions in a line, so that a whole channel can be one row;
  // `asLine` then makes them so.
  bool isLine() const;
  void asLine();

  // Applies them to n consecutive positions of a channel whose values are `from`; `values`, which
  // may be `from` itself, holds what lies between two steps, and `buffer` as much again, used where
  // positions of a map are not adjacent. What `values` holds in the end is unspecified.
  void apply(const MapPlace& at, const float* from, float* values, int64_t n, float* buffer) const;

  // Where values could be written at once: there is but a store, to adjacent elements. Else null.
  float* target(const MapPlace& at) const;

 private:
  int count_;
  MapStep steps_[kMost];
};

}  // namespace fovea
