// Memory that will be needed next, asked for a little at a time while something else is computed:
// rows of tokens lie apart, so that the processor does not see by itself what comes next.
#pragma once
#include <cstdint>

namespace fovea {

// `count` tokens of some bytes, `step` bytes apart.
struct TokenRow {
  const char* first;
  int64_t step, count;
  int64_t bytes;
};

class TokensAhead {
 public:
  TokensAhead() = default;
  // [row, end), asked for in about that many parts.
  TokensAhead(const TokenRow* row, const TokenRow* end, int64_t parts) : row_(row), end_(end) {
    int64_t tokens = 0;
    for (; row < end; ++row) tokens += row->count;
    each_ = tokens / (parts > 0 ? parts : 1) + 1;
  }
  // The next part.
  void ask() {
    constexpr int64_t kLine = 64;
    for (int64_t n = 0; n < each_ && row_ < end_; ++n) {
      const char* at = row_->first + token_ * row_->step;
      for (int64_t k = 0; k < row_->bytes; k += kLine) __builtin_prefetch(at + k, 0, 2);
      if (++token_ < row_->count) continue;
      token_ = 0;
      ++row_;
    }
  }

 private:
  const TokenRow* row_ = nullptr;
  const TokenRow* end_ = nullptr;
  int64_t token_ = 0;  // the next one of *row_
  int64_t each_ = 0;   // tokens of a part
};

}  // namespace fovea
