// Compiles the kernel source FOVEA_KERNEL once for every instruction set, each in its own namespace
// (fovea::avx512, fovea::avx2, ...). No include guard, on purpose: every kernel's .cc includes it
// once, after all its other includes, because nothing but kernel code may be compiled under a
// target pragma (an AVX-512 copy of a std:: template could otherwise be linked into portable code).
// Kernel code has no friend functions: GCC compiles those outside the pragma's reach. It stands in
// a namespace without a name, so that helpers of two kernels may share one.
//
//   #include "kernels/matrix/rows.h"                  // declares struct Rows { void
//   (*softmax)(...); } #define FOVEA_KERNEL "kernels/matrix/rows-inl.h"  // ends with inline
//   constexpr Rows kRows{softmax}; #include "simd/each.h" FOVEA_DISPATCH(Rows, rows, kRows) //
//   defines const Rows& fovea::rows()
#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/isa.h"

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC PR 105593: _mm512_undefined_*
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#if defined(__x86_64__) || defined(_M_X64)
#define FOVEA_X86 1
#include <immintrin.h>
#elif defined(__aarch64__) || defined(_M_ARM64)
#define FOVEA_ARM64 1
#include <arm_neon.h>
#endif

#if defined(__GNUC__)
#define FOVEA_KEEP_IN_REGISTER(constraint, x) asm("" : "+" constraint(x))
#else
#define FOVEA_KEEP_IN_REGISTER(constraint, x)
#endif

// The order of the includes is their meaning.
// clang-format off
#if defined(__clang__)
#define FOVEA_PRAGMA(text) _Pragma(#text)
#define FOVEA_TARGET_BEGIN(features) \
  FOVEA_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define FOVEA_TARGET_END _Pragma("clang attribute pop")
#elif defined(__GNUC__)
#define FOVEA_PRAGMA(text) _Pragma(#text)
#define FOVEA_TARGET_BEGIN(features) \
  _Pragma("GCC push_options") FOVEA_PRAGMA(GCC target(features))
#define FOVEA_TARGET_END _Pragma("GCC pop_options")
#else
#define FOVEA_TARGET_BEGIN(features)
#define FOVEA_TARGET_END
#endif

namespace fovea::scalar {
#include "simd/scalar.h"
// Kernels build on these; every instruction set compiles them anew.
#include "simd/math-inl.h"
namespace {
#include FOVEA_KERNEL
}
}  // namespace fovea::scalar

#if FOVEA_X86
FOVEA_TARGET_BEGIN("avx2,fma,f16c")
namespace fovea::avx2 {
#include "simd/avx2.h"
#include "simd/math-inl.h"
namespace {
#include FOVEA_KERNEL
}
}  // namespace fovea::avx2
FOVEA_TARGET_END

FOVEA_TARGET_BEGIN("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
namespace fovea::avx512 {
#include "simd/avx512.h"
#include "simd/math-inl.h"
namespace {
#include FOVEA_KERNEL
}
}  // namespace fovea::avx512
FOVEA_TARGET_END
#endif

#if FOVEA_ARM64
namespace fovea::neon {
#include "simd/neon.h"
#include "simd/math-inl.h"
namespace {
#include FOVEA_KERNEL
}
}  // namespace fovea::neon
#endif
// clang-format on

// One pointer an instruction set, in the order of FOVEA_INSTRUCTION_SETS; null where not compiled.
#if FOVEA_X86
#define FOVEA_DISPATCH(Type, function, table)                                        \
  namespace fovea {                                                                  \
  const Type& function() {                                                           \
    static constexpr const Type* kTables[] = {&avx512::table, &avx2::table, nullptr, \
                                              &scalar::table};                       \
    return *kTables[static_cast<int>(currentIsa())];                                 \
  }                                                                                  \
  }
#elif FOVEA_ARM64
#define FOVEA_DISPATCH(Type, function, table)                                                  \
  namespace fovea {                                                                            \
  const Type& function() {                                                                     \
    static constexpr const Type* kTables[] = {nullptr, nullptr, &neon::table, &scalar::table}; \
    return *kTables[static_cast<int>(currentIsa())];                                           \
  }                                                                                            \
  }
#else
#define FOVEA_DISPATCH(Type, function, table)                                             \
  namespace fovea {                                                                       \
  const Type& function() {                                                                \
    static constexpr const Type* kTables[] = {nullptr, nullptr, nullptr, &scalar::table}; \
    return *kTables[static_cast<int>(currentIsa())];                                      \
  }                                                                                       \
  }
#endif
