// The few lines of a test framework that native tests need.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/isa.h"

namespace fovea::test {

struct Case {
  const char* file;
  const char* name;
  void (*run)();
};

inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

struct RegisterCase {
  RegisterCase(const char* file, const char* name, void (*run)()) {
    cases().push_back({file, name, run});
  }
};

// What the running case is busy with, printed should it fail: "avx2, n = 17".
inline std::string& context() {
  static std::string text;
  return text;
}

[[noreturn]] inline void fail(const std::string& what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: %s%s%s\n", file, line, context().c_str(),
               context().empty() ? "" : ": ", what.c_str());
  std::abort();
}

// Runs the function on every instruction set that this machine has; the best one is back at the
// end.
template <class Function>
void onEveryIsa(const Function& function) {
  const std::vector<Isa> isas = supportedIsas();
  for (const Isa isa : isas) {
    selectIsa(isaName(isa));
    context() = isaName(isa);
    function();
  }
  context().clear();
  selectIsa(isaName(isas.front()));
}

}  // namespace fovea::test

#define TEST(name)                                                                 \
  static void name();                                                              \
  static const fovea::test::RegisterCase registered_##name(__FILE__, #name, name); \
  static void name()

// With words of one's own, built only on failure.
#define CHECK_OR(condition, what)                                  \
  do {                                                             \
    if (!(condition)) fovea::test::fail(what, __FILE__, __LINE__); \
  } while (false)

#define CHECK(condition) CHECK_OR(condition, #condition " does not hold")
