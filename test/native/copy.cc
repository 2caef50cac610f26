// Copies between layouts: every pair of stride patterns, sizes around the vector length, watched
// memory.
#include "kernels/matrix/copy.h"

#include <algorithm>
#include <string>
#include <vector>

#include "check.h"
#include "guarded.h"
#include "random.h"

namespace fovea::test {
namespace {

struct Strides {
  int64_t row, column;
};

// How a rows x columns tile may lie in memory; `spare` elements are left between rows or columns.
std::vector<Strides> patterns(int64_t rows, int64_t columns) {
  return {{columns, 1},     {columns + 3, 1}, {1, rows},      {1, rows + 5},
          {2 * columns, 2}, {2, 2 * rows},    {-columns, -1}, {-1, -rows}};
}

// Elements that the tile spans, and where its first one lies.
struct Extent {
  int64_t size, first;
};
Extent extent(Strides s, int64_t rows, int64_t columns) {
  const int64_t row = (rows - 1) * s.row, column = (columns - 1) * s.column;
  const int64_t low = std::min<int64_t>(row, 0) + std::min<int64_t>(column, 0);
  const int64_t high = std::max<int64_t>(row, 0) + std::max<int64_t>(column, 0);
  return {high - low + 1, -low};
}

void checkTile(Strides from, Strides to, int64_t rows, int64_t columns, Place place) {
  const Extent source = extent(from, rows, columns), target = extent(to, rows, columns);
  Guarded<float> x(source.size, place), y(target.size, place);
  for (int64_t i = 0; i < source.size; ++i) x[i] = float(i + 1);
  for (int64_t i = 0; i < target.size; ++i) y[i] = -1;
  copy().tile(x.data() + source.first, from.row, from.column, y.data() + target.first, to.row,
              to.column, rows, columns);
  int64_t written = 0;
  for (int64_t i = 0; i < target.size; ++i) written += y[i] != -1;
  CHECK(written == rows * columns);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      CHECK(y[target.first + i * to.row + j * to.column] ==
            x[source.first + i * from.row + j * from.column]);
    }
  }
  CHECK(y.intact());
}

}  // namespace

TEST(tilesAreCopiedBetweenAllLayouts) {
  onEveryIsa([] {
    const std::string isa = context();
    Random random(21);
    for (int64_t rows = 1; rows <= 35; rows += random.integer(1, 3)) {
      for (int64_t columns = 1; columns <= 35; columns += random.integer(1, 3)) {
        context() = isa + ", " + std::to_string(rows) + " x " + std::to_string(columns);
        const Place place = kPlaces[random.integer(0, 2)];
        for (const Strides from : patterns(rows, columns)) {
          for (const Strides to : patterns(rows, columns))
            checkTile(from, to, rows, columns, place);
        }
        checkTile({0, 0}, {columns, 1}, rows, columns, place);
        checkTile({0, 1}, {1, rows}, rows, columns, place);
      }
    }
  });
}

}  // namespace fovea::test
