// Runs every native test whose name contains the first argument.
#include <cstring>

#include "check.h"

int main(int count, char** arguments) {
  const char* wanted = count > 1 ? arguments[1] : "";
  int run = 0;
  for (const auto& [file, name, body] : fovea::test::cases()) {
    if (!std::strstr(name, wanted)) continue;
    std::printf("%s\n", name);
    std::fflush(stdout);
    body();
    ++run;
  }
  std::printf("%d passed, on", run);
  for (const fovea::Isa isa : fovea::supportedIsas()) std::printf(" %s", fovea::isaName(isa));
  std::printf("\n");
  return run > 0 ? 0 : 1;
}
