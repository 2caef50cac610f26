#include "core/registry.h"

namespace fovea {

namespace {
// Leaked: threads may still read it while the process exits.
std::vector<Op>& ops() {
  static auto* all = new std::vector<Op>;
  return *all;
}
}  // namespace

const std::vector<Op>& registry() { return ops(); }
Register::Register(const Op& op) { ops().push_back(op); }

}  // namespace fovea
