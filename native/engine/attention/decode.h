// Attention of at most kDecodeRows queries over many keys: reads K and V once, at memory speed.
// Keys are split into parts of kDecodePart by their positions, whatever the number of threads, and
// the parts' states are joined in order.
#pragma once
#include <cstdint>

#include "engine/attention/attend.h"
#include "kernels/attention/decodeTile.h"

namespace fovea {

constexpr int64_t kDecodePart = 2048;

// State of one query over some keys; consecutive parts lie consecutively.
constexpr int64_t decodeStateFloats(int64_t valueDepth) {
  return kDecodeLanes + padded(valueDepth);  // shift and sum, acc
}

// Attends all queries over part `part` of the keys; query r's state goes to state[r * rowStride].
// It is one of the parts `run`, which the calling thread attends in order.
void decodePart(const AttendProblem& problem, int64_t part, Interval run, float* state,
                int64_t rowStride, Scratch& scratch);

// Joins `parts` states of every query and writes out and lse.
void decodeJoin(const AttendProblem& problem, int64_t parts, float* state, int64_t rowStride,
                Scratch& scratch);

}  // namespace fovea
