// What a score is made of besides its product: soft cap, ALiBi, bias and mask.
#pragma once
#include <algorithm>

#include "core/numbers.h"
#include "engine/attention/queryPanel.h"
#include "kernels/attention/attendTile.h"

namespace fovea {

// The terms of a score that the problem has, for one panel at one block.
class PanelTerms {
 public:
  explicit PanelTerms(const AttendProblem& p) : problem_(p) {
    terms_.softcap = p.softcap * kLog2e;
    addend_.hasBias = p.bias;
    addend_.hasMask = p.mask;
    addend_.biasStride = p.biasStride;
    addend_.maskStride = p.maskStride;
  }
  // Bias, mask and ALiBi are those of the first segment. `lanes` and `brought`: see AttendAddend.
  void give(const QueryPanel& panel, int segment, int64_t first, uint8_t* lanes, bool brought,
            AttendBlock& block) {
    const bool alibi = problem_.alibi && segment == 0;
    block.terms = alibi || problem_.softcap > 0 ? &terms_ : nullptr;
    terms_.slopes = alibi ? panel.slopes : nullptr;
    terms_.positions = positions_;
    for (int i = 0; alibi && i < kPanel; ++i)
      positions_[i] = static_cast<float>(rowOf(panel, i).position - first);
    const bool addend = (problem_.bias || problem_.mask) && segment == 0;
    block.addend = addend ? &addend_ : nullptr;
    if (!addend) return;
    addend_.shared = panel.sharesAddend;
    addend_.lanes = lanes;
    addend_.brought = brought;
    for (int i = 0; i < kPanel && !brought; ++i) {
      if (problem_.bias) addend_.bias[i] = rowOf(panel, i).bias + first * problem_.biasStride;
      if (problem_.mask) addend_.mask[i] = rowOf(panel, i).mask + first * problem_.maskStride;
    }
  }

 private:
  static const QueryRow& rowOf(const QueryPanel& panel, int i) {
    return panel.rows[std::min(i, panel.queries - 1)];
  }

  const AttendProblem& problem_;
  alignas(64) float positions_[kPanel] = {};
  ScoreTerms terms_;
  AttendAddend addend_;
};

}  // namespace fovea
