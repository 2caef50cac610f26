// The one parallel loop of the engine. OpenMP appears in parallel.cc and nowhere else.
#pragma once
#include <cstdint>
#include <type_traits>

#include "core/call.h"
#include "core/scratch.h"

namespace fovea {

using LoopBody = void (*)(void* context, int64_t index, Scratch& scratch);
void parallelForImpl(const Call& call, int64_t count, LoopBody body, void* context);

// Calls body(index, scratch) for every index in [0, count), dynamically scheduled over at most
// call.threads threads, index 0 first. Every body runs with subnormals flushed to zero (the
// caller's mode is restored), sees its own thread's scratch (given back after each index), and is
// skipped once the call is cancelled. Each index counts as one tile of progress. Never assume how
// many threads there are: a result may depend on the index alone. std::bad_alloc from a body
// cancels the rest and is rethrown here, on the caller's thread.
template <class Body>
void parallelFor(const Call& call, int64_t count, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  parallelForImpl(
      call, count,
      [](void* context, int64_t index, Scratch& scratch) {
        (*static_cast<Plain*>(context))(index, scratch);
      },
      const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace fovea
