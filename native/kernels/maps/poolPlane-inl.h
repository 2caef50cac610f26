// The larger of two, NaN where either is.
inline Vec largest(Vec a, Vec b) { return Vec::select(Vec::isNan(a), a, Vec::max(a, b)); }

inline Vec loadLanes(const float* p, int64_t count) {
  return count >= Vec::kLanes ? Vec::load(p) : Vec::loadPartial(p, int(count));
}

inline void storeLanes(Vec v, float* p, int64_t count) {
  if (count >= Vec::kLanes) {
    v.store(p);
  } else {
    v.storePartial(p, int(count));
  }
}

// line[i] = the largest of column i in rows [first, end) of the plane, and -inf up to a whole
// vector: a vector written in part could not be read again before it has reached the cache.
inline void maxOfRows(const PoolPlane& p, int64_t first, int64_t end, float* line) {
  const Vec lowest = Vec::set(-std::numeric_limits<float>::infinity());
  const float* from = p.from + first * p.rowStride;
  if (p.columnStride != 1) {
    for (int64_t i = 0; i < p.width; ++i, from += p.columnStride) {
      Vec most = Vec::set(*from);
      for (int64_t row = 1; row < end - first; ++row) {
        most = largest(most, Vec::set(from[row * p.rowStride]));
      }
      most.storePartial(line + i, 1);
    }
    return;
  }
  for (int64_t i = 0; i < p.width; i += Vec::kLanes) {
    const int64_t count = p.width - i;
    Vec most = loadLanes(from + i, count);
    for (int64_t row = 1; row < end - first; ++row) {
      most = largest(most, loadLanes(from + row * p.rowStride + i, count));
    }
    const Mask inside = Mask::firstLanes(count < Vec::kLanes ? int(count) : Vec::kLanes);
    Vec::select(inside, most, lowest).store(line + i);
  }
}

// phases[r * pitch + j] = line[j * stride + r] for the r that a kernel meets; by a stride of 2 in
// whole vectors, for which both have room.
inline void takeApart(const PoolPlane& p) {
  const int64_t kernel = p.kernel[1], stride = p.stride[1];
  const int64_t length = p.columns + (kernel - 1) / stride;
  const int64_t count = kernel < stride ? kernel : stride;
  int64_t j = 0;
  if (stride == 2) {
    for (; j < length; j += Vec::kLanes) {
      const Vec low = Vec::load(p.line + 2 * j), high = Vec::load(p.line + 2 * j + Vec::kLanes);
      Vec::evens(low, high).store(p.phases + j);
      if (count > 1) Vec::odds(low, high).store(p.phases + p.phasePitch + j);
    }
  }
  for (; j < length; ++j) {
    for (int64_t r = 0; r < count; ++r) p.phases[r * p.phasePitch + j] = p.line[j * stride + r];
  }
}

// Lanes beyond a row work on whatever lies in scratch and are not stored.
void maxPlane(const PoolPlane& p) {
  constexpr int64_t kLanes = Vec::kLanes;
  const Vec lowest = Vec::set(-std::numeric_limits<float>::infinity());
  const int64_t kernel = p.kernel[1], stride = p.stride[1], padding = p.padding[1];
  const int64_t met = (p.columns + (kernel - 1) / stride) * stride;
  // Whole vectors: what spills over the row itself is written before it.
  for (int64_t i = 0; i < padding; i += kLanes) lowest.store(p.line + i);
  for (int64_t i = p.width + padding; i < met; i += kLanes) lowest.store(p.line + i);
  const float* phases = stride == 1 ? p.line : p.phases;
  for (int64_t row = 0; row < p.rows; ++row) {
    const int64_t top = (p.firstRow + row) * p.stride[0] - p.padding[0];
    const int64_t end = top + p.kernel[0] < p.height ? top + p.kernel[0] : p.height;
    maxOfRows(p, top < 0 ? 0 : top, end, p.line + padding);
    if (stride != 1) takeApart(p);
    float* to = p.to + row * p.toRowStride;
    const bool adjacent = p.toColumnStride == 1;
    for (int64_t i = 0; i < p.columns; i += kLanes) {
      Vec most = Vec::load(phases + i);
      int64_t phase = 0, shift = 0;
      for (int64_t k = 1; k < kernel; ++k) {
        if (++phase == stride) {
          phase = 0;
          ++shift;
        }
        most = largest(most, Vec::load(phases + phase * p.phasePitch + shift + i));
      }
      if (adjacent) {
        storeLanes(most, to + i, p.columns - i);
      } else {
        most.store(p.result + i);
      }
    }
    if (adjacent) continue;
    for (int64_t i = 0; i < p.columns; ++i) to[i * p.toColumnStride] = p.result[i];
  }
}

inline constexpr Pool kPool{maxPlane};
