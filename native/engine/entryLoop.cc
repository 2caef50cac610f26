#include "engine/entryLoop.h"

#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"

namespace fovea {

void forEntries(const Call& call, const FeatureMap& x, EntryBody body) {
  constexpr int64_t kGroupsAThread = 4;  // then others wait a fifth of the time for the last
  const int64_t together = x.entriesTogether(), groups = ceilDiv(x.batch, together);
  const auto visit = [&](int64_t group, Scratch& scratch) {
    const Scratch::Scope scope(scratch);
    body(group * together, std::min(together, x.batch - group * together), scratch);
  };
  if (groups % call.threads == 0 || groups >= kGroupsAThread * call.threads) {
    parallelFor(call, groups, visit);
  } else {
    for (int64_t group = 0; group < groups; ++group) visit(group, Scratch::ofThread());
  }
}

}  // namespace fovea
