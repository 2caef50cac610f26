// clang-format off: each builds on those before it
#include "kernels/attention/attendProducts-inl.h"
#include "kernels/attention/attendSights-inl.h"
#include "kernels/attention/attendAddend-inl.h"
#include "kernels/attention/attendWeights-inl.h"
#include "kernels/attention/attendTerms-inl.h"
#include "kernels/attention/attendWhole-inl.h"
// clang-format on

template <Join kJoin>
void weighStrip(const AttendBlock& b, int group, const Run& run, const float* factors,
                Ahead& ahead) {
  group += run.first;
  if (b.careful) {
    for (int c = 0; c < run.count; ++c)
      weighCarefully(b, group + c, run.begin, run.end, kJoin == Join::kRescale ? factors : nullptr);
    return;
  }
  if (run.count == 3) weighRun<3, kJoin>(b, group, run.begin, run.end, factors, ahead);
  if (run.count == 2) weighRun<2, kJoin>(b, group, run.begin, run.end, factors, ahead);
  if (run.count == 1) weighRun<1, kJoin>(b, group, run.begin, run.end, factors, ahead);
}

void attendStrip(const AttendBlock& b, int group, int count, Ahead& ahead) {
  if (count == 3 && attendWhole<3>(b, group, ahead)) return;
  if (count == 2 && attendWhole<2>(b, group, ahead)) return;
  if (count == 1 && attendWhole<1>(b, group, ahead)) return;
  Sight sights[kSpan];
  for (int c = 0; c < count; ++c) sights[c] = sightOf(b, group + c);
  Run runs[2 * kSpan];
  const int made = runsOf(sights, count, runs);

  alignas(64) float factor[kPanel];
  const bool capped = b.terms && b.terms->softcap > 0;
  const bool moved = capped ? weightTerms(b, group, count, sights, runs, made, factor, ahead)
                            : weightStrip(b, group, count, runs, made, factor, ahead);
  if (b.fresh) {  // everything is one run
    weighStrip<Join::kStart>(b, group, runs[0], nullptr, ahead);
    return;
  }
  if (!moved) {
    for (int i = 0; i < made; ++i)
      if (runs[i].begin < runs[i].end) weighStrip<Join::kAdd>(b, group, runs[i], nullptr, ahead);
    return;
  }
  for (int i = 0; i < made; ++i) {
    if (runs[i].begin == runs[i].end) continue;
    weighStrip<Join::kRescale>(b, group, runs[i], factor, ahead);
    // A vector is rescaled once: in the first run that it is part of.
    for (int c = runs[i].first; c < runs[i].first + runs[i].count; ++c)
      Vec::set(1.0f).store(factor + (group + c) * kLanes);
  }
}

void attend(const AttendBlock& b) {
  const int groups = (b.queries + kLanes - 1) / kLanes;
  const int tiles = (groups + kSpan - 1) / kSpan *
                    (b.keys / kTileRows<kSpan> + b.valueDepth / kTileRows<kSpan> + 1);
  Ahead ahead{b.ahead, b.ahead + b.aheadRows, b.aheadRows / tiles + 1, b.aheadFloats};
  for (int group = 0; group < groups; group += kSpan)
    attendStrip(b, group, groups - group < kSpan ? groups - group : kSpan, ahead);
}

inline constexpr AttendTile kAttendTile{attend, kAddendBytes};
