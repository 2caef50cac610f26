// Whether every element of the rows is finite. 0 * x is 0 for a finite x and NaN for any other.
// Chains of their own for four rows at a time: one would be as slow as an addition's latency.
template <class Source, class Row>
bool finiteRows(const Row* const* rows, int count, int depth) {
  constexpr int kChains = 4, kLanes = Vec::kLanes;
  using Element = typename Source::Element;
  Vec sums[kChains] = {};
  for (int j = 0; j < count; j += kChains) {
    const Element* row[kChains];
    for (int i = 0; i < kChains; ++i)
      row[i] = static_cast<const Element*>(rows[j + i < count ? j + i : count - 1]);
    int k = 0;
    for (; k + kLanes <= depth; k += kLanes) {
#pragma GCC unroll 4
      for (int i = 0; i < kChains; ++i)
        sums[i] = Vec::fma(Vec::zero(), Source::load(row[i] + k), sums[i]);
    }
    for (int i = 0; i < kChains && k < depth; ++i)
      sums[i] = Vec::fma(Vec::zero(), Source::loadPartial(row[i] + k, depth - k), sums[i]);
  }
  return !Vec::isNan(sums[0] + sums[1] + (sums[2] + sums[3])).any();
}
