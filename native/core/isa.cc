#include "core/isa.h"

#include <atomic>
#include <cstring>

namespace fovea {

namespace {

constexpr int kCount = static_cast<int>(Isa::count);

// __builtin_cpu_supports also asks whether the system saves the registers (XGETBV).
bool detect(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("f16c");
#elif defined(__aarch64__)
    case Isa::neon:
      return true;
#endif
    case Isa::scalar:
      return true;
    default:
      return false;
  }
}

std::atomic<int> current{-1};

}  // namespace

const char* isaName(Isa isa) {
  static constexpr const char* kNames[] = {
#define FOVEA_NAME(name) #name,
      FOVEA_INSTRUCTION_SETS(FOVEA_NAME)
#undef FOVEA_NAME
  };
  return kNames[static_cast<int>(isa)];
}

int isaVectorBits(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      return 512;
    case Isa::avx2:
      return 256;
    case Isa::neon:
      return 128;
    default:
      return 32;
  }
}

bool isaSupported(Isa isa) { return detect(isa); }

std::vector<Isa> supportedIsas() {
  std::vector<Isa> isas;
  for (int i = 0; i < kCount; ++i) {
    if (isaSupported(static_cast<Isa>(i))) isas.push_back(static_cast<Isa>(i));
  }
  return isas;
}

Isa currentIsa() {
  int isa = current.load(std::memory_order_relaxed);
  if (isa < 0) {
    // Should selectIsa win the race, its choice stands.
    int unset = -1;
    const int best = static_cast<int>(supportedIsas().front());
    isa = current.compare_exchange_strong(unset, best) ? best : unset;
  }
  return static_cast<Isa>(isa);
}

bool selectIsa(const char* name) {
  for (const Isa isa : supportedIsas()) {
    if (std::strcmp(name, isaName(isa)) == 0) {
      current.store(static_cast<int>(isa));
      return true;
    }
  }
  return false;
}

}  // namespace fovea
