#include "core/scratch.h"

#include <new>

#include "check.h"

using fovea::Scratch;

TEST(scratchIsAlignedAndGivenBackInStackOrder) {
  Scratch scratch;
  const Scratch::Scope outer(scratch);
  float* first = scratch.floats(3);
  float* inside = nullptr;
  {
    const Scratch::Scope inner(scratch);
    inside = scratch.floats(1000);
    for (int i = 0; i < 1000; ++i) inside[i] = 1;
  }
  CHECK(scratch.floats(1000) == inside);
  CHECK(inside >= first + 3);
  for (const void* p : {static_cast<void*>(first), static_cast<void*>(inside)}) {
    CHECK(reinterpret_cast<uintptr_t>(p) % 64 == 0);
  }
}

TEST(scratchReusesWhatItGrewTo) {
  Scratch scratch;
  uint8_t* seen = nullptr;
  for (int call = 0; call < 3; ++call) {
    const Scratch::Scope scope(scratch);
    scratch.bytes(100);
    uint8_t* large = scratch.bytes(3 << 20);
    large[0] = large[(3 << 20) - 1] = 1;
    if (call > 0) CHECK(large == seen);
    seen = large;
  }
}

TEST(scratchBlocksNeverOverlap) {
  Scratch scratch;
  for (int call = 0; call < 4; ++call) {
    const Scratch::Scope scope(scratch);
    uint8_t* blocks[64];
    for (int i = 0; i < 64; ++i) {
      blocks[i] = scratch.bytes((i * 7919 + call * 131) % 300'000 + 1);
      blocks[i][0] = static_cast<uint8_t>(i);
      blocks[i][(i * 7919 + call * 131) % 300'000] = static_cast<uint8_t>(i);
    }
    for (int i = 0; i < 64; ++i) {
      CHECK(blocks[i][0] == i && blocks[i][(i * 7919 + call * 131) % 300'000] == i);
    }
  }
}

TEST(scratchThatCannotBeHadIsBadAlloc) {
  Scratch scratch;
  const Scratch::Scope scope(scratch);
  for (const int64_t count : {int64_t{-1}, int64_t{1} << 62, int64_t{1} << 41}) {
    bool thrown = false;
    try {
      scratch.floats(count);
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    CHECK(thrown);
  }
  scratch.floats(16)[15] = 1;
}
