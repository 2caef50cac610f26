#include "engine/maps/entryLoop.h"

#include <algorithm>

#include "core/ceilDiv.h"
#include "core/parallel.h"

namespace fovea {

void forEntries(const Call& call, const FeatureMap& x, EntryBody body) {
  constexpr int64_t kGroupsAThread = 4;  // then others wait a fifth of the time for the last
  // As many groups for each thread, where there are entries enough.
  int64_t groups = ceilDiv(x.batch, x.entriesTogether());
  const int64_t even = ceilDiv(groups, call.threads) * call.threads;
  if (even <= x.batch) groups = even;
  const auto visit = [&](int64_t group, Scratch& scratch) {
    const Scratch::Scope scope(scratch);
    const int64_t first = x.batch * group / groups;
    body(first, x.batch * (group + 1) / groups - first, scratch);
  };
  if (groups % call.threads == 0 || groups >= kGroupsAThread * call.threads) {
    parallelFor(call, groups, visit);
  } else {
    for (int64_t group = 0; group < groups; ++group) visit(group, Scratch::ofThread());
  }
}

}  // namespace fovea
