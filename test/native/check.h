// The few lines of a test framework that native tests need.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <vector>

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
  RegisterCase(const char* file, const char* name, void (*run)()) { cases().push_back({file, name, run}); }
};

inline void check(bool passed, const char* condition, const char* file, int line) {
  if (passed) return;
  std::fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace fovea::test

#define TEST(name)                                                                 \
  static void name();                                                              \
  static const fovea::test::RegisterCase registered_##name(__FILE__, #name, name); \
  static void name()

#define CHECK(condition) fovea::test::check(bool(condition), #condition, __FILE__, __LINE__)
