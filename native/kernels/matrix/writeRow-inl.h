// f over whole vectors, then over the rest of the row with what lies behind it read as 0.
template <class Function>
inline void eachVector(int64_t n, Function f) {
  int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) f(i, Vec::kLanes);
  if (i < n) f(i, int(n - i));
}

inline Vec loadLanes(const float* p, int count) {
  return count == Vec::kLanes ? Vec::load(p) : Vec::loadPartial(p, count);
}

inline void storeLanes(Vec v, float* p, int count) {
  if (count == Vec::kLanes) {
    v.store(p);
  } else {
    v.storePartial(p, count);
  }
}

// y_i = f(i), past the caches where `streams`: memory that is written whole is then not read first.
// The row of x that f reads is asked for a page ahead, which the processor does not do by itself.
template <class Function>
inline void writeRow(const float* x, float* y, int64_t n, bool streams, Function f) {
  constexpr int64_t kLanes = Vec::kLanes, kAhead = 1024;
  if (!streams) {
    eachVector(n, [&](int64_t i, int count) { storeLanes(f(i, count), y + i, count); });
    return;
  }
  const int64_t past = int64_t(reinterpret_cast<uintptr_t>(y) / sizeof(float)) % kLanes;
  int64_t i = past == 0 ? 0 : kLanes - past;
  if (i > n) i = n;
  if (i > 0) storeLanes(f(0, int(i)), y, int(i));
  for (; i + kLanes <= n; i += kLanes) {
    __builtin_prefetch(x + i + kAhead);
    f(i, int(kLanes)).stream(y + i);
  }
  if (i < n) storeLanes(f(i, int(n - i)), y + i, int(n - i));
  Vec::endStream();
}
