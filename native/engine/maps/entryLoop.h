// The batch of a map, as many entries at a time as a cache holds.
#pragma once
#include <cstdint>

#include "core/call.h"
#include "core/functionRef.h"
#include "core/scratch.h"
#include "engine/maps/featureMap.h"

namespace fovea {

using EntryBody = FunctionRef<void(int64_t first, int64_t count, Scratch& scratch)>;

// Calls body(first, count, scratch) for groups of x.entriesTogether() entries. Where they keep all
// threads busy each thread takes groups of its own, and the loops of the body stay on it; otherwise
// groups follow each other and threads share each of them.
void forEntries(const Call& call, const FeatureMap& x, EntryBody body);

}  // namespace fovea
