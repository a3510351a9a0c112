// Copyright 2026 The jetson_infer authors
// SPDX-License-Identifier: Apache-2.0
//
// The candidates of a YOLO output that reach the score threshold: their box as the network wrote it,
// their score, best class and anchor index, packed behind a counter.  candidates_reference.py
// computes the same, in the order of the anchors; here the order is that of arrival.
//
// A NaN is greater than every number, as NumPy's maximum has it, and is not below the threshold: such
// candidates are passed on, so that the host drops and counts them as it does its own.

#include "portable.cuh"
#include "candidates.cuh"

// Mirrors LAYOUT in candidates.py.
struct Layout {
    int anchors, channels, classes, capacity;
};

struct Settings {
    float threshold;
};

enum Objectness { NONE, FACTOR, ONLY };

struct Best {
    float score;
    int class_id;
};

// Of equal scores the first class is the better.
DEVICE bool beats(Best one, Best other)
{
    const bool one_nan = one.score != one.score, other_nan = other.score != other.score;
    if (one_nan != other_nan) {
        return one_nan;
    }
    if (one.score != other.score && !one_nan) {
        return one.score > other.score;
    }
    return one.class_id < other.class_id;
}

DEVICE Best nothing()
{
    const Best best = {-__int_as_float(0x7f800000), 0x7fffffff};  // what any class beats
    return best;
}

template <class Element, bool CHANNELS_FIRST>
DEVICE float at(const Element* output, Layout layout, int channel, int anchor)
{
    return to_float(output[CHANNELS_FIRST ? (size_t)layout.anchors * channel + anchor
                                          : (size_t)layout.channels * anchor + channel]);
}

// The best of the classes first, first + step, ... of one anchor.
template <class Element, bool CHANNELS_FIRST, int FIRST_CLASS>
DEVICE Best best_of(const Element* output, Layout layout, int anchor, int first, int step)
{
    Best best = nothing();
#pragma unroll 4
    for (int c = first; c < layout.classes; c += step) {
        const Best one = {at<Element, CHANNELS_FIRST>(output, layout, FIRST_CLASS + c, anchor), c};
        if (beats(one, best)) {
            best = one;
        }
    }
    return best;
}

// Called by one thread an anchor, whose class scores were read only if its objectness reached.
template <class Element, bool CHANNELS_FIRST, int OBJECTNESS>
DEVICE void emit(const Element* output, Layout layout, float threshold, int anchor,
                 float objectness, Best best, Candidates* results)
{
    float score = best.score;
    if (OBJECTNESS == FACTOR) {
        score = objectness * best.score;
    } else if (OBJECTNESS == ONLY) {
        score = objectness;
    }
    if (score < threshold || (OBJECTNESS != NONE && objectness < threshold)) {
        return;
    }
    const int place = atomicAdd(&results->count, 1);
    if (place >= layout.capacity) {
        return;
    }
    Candidate row = {};
    for (int i = 0; i < 4; ++i) {
        row.box[i] = at<Element, CHANNELS_FIRST>(output, layout, i, anchor);
    }
    row.score = score;
    row.class_id = best.class_id;
    row.anchor = anchor;
    results->rows[place] = row;
}

// Blocks of 32 x 8.  (1, channels, N): a warp reads one channel of 32 neighbouring anchors at a time;
// eight warps share the classes.
template <class Element, int OBJECTNESS>
DEVICE void channels_first(const Element* output, Layout layout, float threshold, Candidates* results)
{
    __shared__ Best shared[8][32];
    const int anchor = 32 * blockIdx.x + threadIdx.x, part = threadIdx.y;
    float objectness = 1;
    Best best = nothing();
    if (anchor < layout.anchors) {
        if (OBJECTNESS != NONE) {
            objectness = at<Element, true>(output, layout, 4, anchor);
        }
        if (OBJECTNESS == NONE || !(objectness < threshold)) {
            best = best_of<Element, true, OBJECTNESS == NONE ? 4 : 5>(output, layout, anchor, part, 8);
        }
    }
    shared[part][threadIdx.x] = best;
    __syncthreads();
    if (part == 0 && anchor < layout.anchors) {
        for (int other = 1; other < 8; ++other) {
            if (beats(shared[other][threadIdx.x], best)) {
                best = shared[other][threadIdx.x];
            }
        }
        emit<Element, true, OBJECTNESS>(output, layout, threshold, anchor, objectness, best, results);
    }
}

// Blocks of 32 x 8.  (1, N, channels): a warp reads the neighbouring channels of one anchor.
template <class Element, int OBJECTNESS>
DEVICE void channels_last(const Element* output, Layout layout, float threshold, Candidates* results)
{
    const int anchor = 8 * blockIdx.x + threadIdx.y, lane = threadIdx.x;
    float objectness = 1;
    Best best = nothing();
    if (anchor < layout.anchors) {
        if (OBJECTNESS != NONE) {
            objectness = at<Element, false>(output, layout, 4, anchor);
        }
        if (OBJECTNESS == NONE || !(objectness < threshold)) {
            best = best_of<Element, false, OBJECTNESS == NONE ? 4 : 5>(output, layout, anchor, lane, 32);
        }
    }
    for (int distance = 16; distance; distance /= 2) {
        Best other;
        other.score = __shfl_down_sync(0xffffffffu, best.score, distance);
        other.class_id = __shfl_down_sync(0xffffffffu, best.class_id, distance);
        if (beats(other, best)) {
            best = other;
        }
    }
    if (lane == 0 && anchor < layout.anchors) {
        emit<Element, false, OBJECTNESS>(output, layout, threshold, anchor, objectness, best, results);
    }
}

#define KERNEL(NAME, ORDER, ELEMENT, OBJECTNESS)                                                \
    extern "C" __global__ void __launch_bounds__(256) candidates_##NAME(                        \
        const ELEMENT* output, const Settings* settings, Candidates* results, Layout layout)    \
    {                                                                                           \
        ORDER<ELEMENT, OBJECTNESS>(output, layout, settings->threshold, results);               \
    }

KERNEL(first_float32_none, channels_first, float, NONE)
KERNEL(first_float32_factor, channels_first, float, FACTOR)
KERNEL(first_float32_only, channels_first, float, ONLY)
KERNEL(first_float16_none, channels_first, Half, NONE)
KERNEL(first_float16_factor, channels_first, Half, FACTOR)
KERNEL(first_float16_only, channels_first, Half, ONLY)
KERNEL(last_float32_none, channels_last, float, NONE)
KERNEL(last_float32_factor, channels_last, float, FACTOR)
KERNEL(last_float32_only, channels_last, float, ONLY)
KERNEL(last_float16_none, channels_last, Half, NONE)
KERNEL(last_float16_factor, channels_last, Half, FACTOR)
KERNEL(last_float16_only, channels_last, Half, ONLY)
