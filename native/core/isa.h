// Which instruction set the kernels run on: one choice per process, made at the first use.
#pragma once
#include <string>
#include <vector>

namespace fovea {

// Best first. A new set is a row here, a block in simd/each.h and a header simd/<name>.h.
// clang-format off
#define FOVEA_INSTRUCTION_SETS(X) \
  X(avx512)                       \
  X(avx2)                         \
  X(neon)                         \
  X(scalar)
// clang-format on

enum class Isa : int {
#define FOVEA_ENUM(name) name,
  FOVEA_INSTRUCTION_SETS(FOVEA_ENUM)
#undef FOVEA_ENUM
      count
};

const char* isaName(Isa isa);
int isaVectorBits(Isa isa);
bool isaSupported(Isa isa);        // compiled in, and this machine can run it
std::vector<Isa> supportedIsas();  // best first
Isa currentIsa();                  // the best one, unless selectIsa chose another
bool selectIsa(const char* name);  // false where the name is unknown or not supported

}  // namespace fovea
