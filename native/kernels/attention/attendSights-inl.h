// Which keys of a block the vectors of a strip look at, where not every query sees every key.
// Consecutive keys [begin, end) that the same vectors of a strip look at: the bits of `members`,
// all of them within [first, first + count). Every query of these sees [fullBegin, fullEnd).
struct Run {
  int begin, end, first, count, members, fullBegin, fullEnd;
};

// Keys of one vector of queries: [begin, end) is what any of them sees, in whole register tiles, so
// that no sum depends on where a neighbour's keys begin; [fullBegin, fullEnd) is what all of them
// see.
struct Sight {
  int begin, end, fullBegin, fullEnd;
};

inline Sight sightOf(const AttendBlock& b, int group) {
  if (!b.begin) return {0, b.keys, 0, b.keys};
  const Vec first = Vec::load(b.begin + group * kLanes), last = Vec::load(b.end + group * kLanes);
  const Vec none = Vec::set(-kInfinity);
  const Mask sees = Vec::less(first, last);
  if (!sees.any()) return {0, 0, 0, 0};
  Sight s;
  s.begin = -int(Vec::select(sees, Vec::negate(first), none).maximum());
  s.end = int(Vec::select(sees, last, none).maximum());
  s.fullBegin = int(first.maximum());
  s.fullEnd = -int(Vec::negate(last).maximum());
  constexpr int kRows = kTileRows<kSpan>;
  s.begin = s.begin / kRows * kRows;
  s.end = fewer((s.end + kRows - 1) / kRows * kRows, b.keys);
  if (s.fullEnd <= s.fullBegin) s.fullBegin = s.fullEnd = s.begin;
  return s;
}

// Splits the keys of a strip so that vectors which see none of a run are left out of it.
inline int runsOf(const Sight* sights, int count, Run* runs) {
  int cuts[2 * kSpan], n = 0;
  for (int c = 0; c < count; ++c) {
    cuts[n++] = sights[c].begin;
    cuts[n++] = sights[c].end;
  }
  for (int i = 1; i < n; ++i) {
    const int cut = cuts[i];
    int at = i;
    for (; at > 0 && cuts[at - 1] > cut; --at) cuts[at] = cuts[at - 1];
    cuts[at] = cut;
  }
  int made = 0;
  for (int i = 0; i + 1 < n; ++i) {
    if (cuts[i] == cuts[i + 1]) continue;
    int first = count, last = -1, members = 0, fullBegin = 0, fullEnd = cuts[i + 1];
    for (int c = 0; c < count; ++c) {
      if (sights[c].begin > cuts[i] || sights[c].end < cuts[i + 1]) continue;
      first = c < first ? c : first;
      last = c;
      members |= 1 << c;
      fullBegin = sights[c].fullBegin > fullBegin ? sights[c].fullBegin : fullBegin;
      fullEnd = fewer(fullEnd, sights[c].fullEnd);
    }
    if (!members) continue;
    if (members >> first != (1 << (last - first + 1)) - 1) fullEnd = 0;
    runs[made++] = {cuts[i], cuts[i + 1], first, last - first + 1, members, fullBegin, fullEnd};
  }
  return made;
}
