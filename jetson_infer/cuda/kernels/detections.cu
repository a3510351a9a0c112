// Copyright 2026 The jetson_infer authors
// SPDX-License-Identifier: Apache-2.0
//
// From the candidates that candidates.cu packed to the frame's detections: usable boxes, ranked by
// score, suppressed greedily, in pixels of the camera's image.  detections_reference.py computes the
// same to the bit: in float32, and overlaps in float64, each operation rounded once.
//
// One block, one thread a candidate.  Whether two boxes overlap too much is decided in float32 where
// that suffices, because a Jetson Orin computes in float64 at a sixty-fourth of the speed.

#include "portable.cuh"
#include "candidates.cuh"

enum { WARP = 32, LARGEST = 1024 };

struct alignas(16) Box {
    float x_min, y_min, x_max, y_max;
};

// Mirror HEADER and DETECTION in detections_reference.py.
struct alignas(16) Detection {
    Box box;
    float score;
    int class_id, reserved[2];
};

struct alignas(16) Detections {
    int count, lost, non_finite, inside_out;
    float above_one;  // the greatest score that was cut to 1; 0 where none was
    int reserved[3];
    Detection rows[1];
};

// Mirrors SETTINGS there.
struct Limits {
    double iou_threshold;
    float near_threshold;  // the same, rounded
    int suppress, max_detections, reserved[3];
};

struct Settings {
    Limits limits;
    unsigned classes[1];  // a bit for each that is wanted
};

// Mirrors LAYOUT there.
struct Layout {
    float box_scale[2];
    int capacity;
};

// Mirrors GEOMETRY there: from the network's input to the camera's image.
struct Geometry {
    float scale[2], pad[2], size[2];
};

// What the threads tell one another.  By rank, save the keys.
struct Shared {
    Box boxes[LARGEST];
    unsigned long long keys[LARGEST];
    float scores[LARGEST];
    int class_ids[LARGEST];
    unsigned overlapping[2][WARP], alive[WARP], inside[WARP];
    int non_finite, inside_out, above_one;
};

struct Ranked {
    Box box;
    float score;
    int class_id;
    bool usable;
};

DEVICE bool is_finite(float value) { return (__float_as_int(value) & 0x7f800000) != 0x7f800000; }

DEVICE Box corners_of(const float* box, const float* scale)
{
    const float x = __fmul_rn(box[0], scale[0]), y = __fmul_rn(box[1], scale[1]);
    const float half_width = __fmul_rn(__fmul_rn(box[2], scale[0]), 0.5f);
    const float half_height = __fmul_rn(__fmul_rn(box[3], scale[1]), 0.5f);
    const Box corners = {__fsub_rn(x, half_width), __fsub_rn(y, half_height),
                         __fadd_rn(x, half_width), __fadd_rn(y, half_height)};
    return corners;
}

// The smaller the key, the better: by score, then by anchor.  -0 equals 0.
DEVICE unsigned long long key_of(float score, int anchor)
{
    const int bits = __float_as_int(__fadd_rn(score, 0.0f));
    const unsigned ascending = bits < 0 ? ~(unsigned)bits : (unsigned)bits | 0x80000000u;
    return (unsigned long long)~ascending << 32 | (unsigned)anchor;
}

// Reads one candidate, and counts it where it cannot be a box.
DEVICE Ranked usable_of(const Candidate& row, const Settings* settings, const Layout& layout,
                        Shared& shared)
{
    Ranked mine = {corners_of(row.box, layout.box_scale), row.score, row.class_id, false};
    const Box box = mine.box;
    if (!(is_finite(box.x_min) && is_finite(box.y_min) && is_finite(box.x_max) &&
          is_finite(box.y_max) && is_finite(mine.score))) {
        atomicAdd(&shared.non_finite, 1);
    } else if (!(box.x_max >= box.x_min && box.y_max >= box.y_min)) {
        atomicAdd(&shared.inside_out, 1);
    } else {
        mine.usable = settings->classes[row.class_id >> 5] >> (row.class_id & 31) & 1;
    }
    if (mine.usable && mine.score > 1) {
        atomicMax(&shared.above_one, __float_as_int(mine.score));  // of positive floats: as integers
        mine.score = 1;
    }
    return mine;
}

// Puts every usable candidate at its rank; returns how many there are.
DEVICE int rank_all(const Candidates* candidates, const Settings* settings, const Layout& layout,
                    Shared& shared)
{
    const int thread = threadIdx.x;
    const int stored = candidates->count;
    Ranked mine = {};
    unsigned long long key = ~0ull;  // behind all
    if (thread < stored) {
        const Candidate row = candidates->rows[thread];
        mine = usable_of(row, settings, layout, shared);
        key = mine.usable ? key_of(mine.score, row.anchor) : key;
    }
    shared.keys[thread] = key;
    const int usable = __syncthreads_count(mine.usable);
    if (mine.usable) {
        int rank = 0;
#pragma unroll 8
        for (int other = 0; other < stored; ++other) {
            rank += shared.keys[other] < key;
        }
        shared.boxes[rank] = mine.box;
        shared.scores[rank] = mine.score;
        shared.class_ids[rank] = mine.class_id;
    }
    __syncthreads();
    return usable;
}

DEVICE float area(const Box& box) { return (box.x_max - box.x_min) * (box.y_max - box.y_min); }

DEVICE double exact_area(const Box& box)
{
    return __dmul_rn(__dsub_rn(box.x_max, box.x_min), __dsub_rn(box.y_max, box.y_min));
}

// As core/boxes.py has it.
DEVICE bool overlap_exactly(const Box& one, const Box& other, const Box& common, double threshold)
{
    const double both = exact_area(common);
    const double either = __dsub_rn(__dadd_rn(exact_area(one), exact_area(other)), both);
    return __ddiv_rn(both, either) > threshold;
}

// The intersection over union from float32 is within 18 roundings of 2^-24, 1.1e-6 in all, of the
// true one; what is farther than that from the threshold needs no more.  Sides that overflow make
// neither comparison true; areas near the smallest normal number are excluded.
DEVICE bool overlap(const Box& one, const Box& other, const Limits& limits)
{
    const Box common = {fmaxf(one.x_min, other.x_min), fmaxf(one.y_min, other.y_min),
                        fminf(one.x_max, other.x_max), fminf(one.y_max, other.y_max)};
    if (!(common.x_max > common.x_min && common.y_max > common.y_min)) {
        return false;
    }
    const float both = area(common), either = area(one) + area(other) - both;
    const float edge = limits.near_threshold * either, margin = 4e-6f * either;
    if (either > 1e-30f) {
        if (both > edge + margin) {
            return true;
        }
        if (both < edge - margin) {
            return false;
        }
    }
    return overlap_exactly(one, other, common, limits.iou_threshold);
}

DEVICE bool suppresses(const Shared& shared, int better, const Box& box, int class_id,
                       const Limits& limits)
{
    return limits.suppress && shared.class_ids[better] == class_id &&
           overlap(shared.boxes[better], box, limits);
}

DEVICE float to_source(float place, float pad, float scale, float size)
{
    return fminf(fmaxf(__fdiv_rn(__fsub_rn(place, pad), scale), 0.0f), size);
}

DEVICE Box in_image(const Box& box, const Geometry& geometry)
{
    const Box source = {to_source(box.x_min, geometry.pad[0], geometry.scale[0], geometry.size[0]),
                        to_source(box.y_min, geometry.pad[1], geometry.scale[1], geometry.size[1]),
                        to_source(box.x_max, geometry.pad[0], geometry.scale[0], geometry.size[0]),
                        to_source(box.y_max, geometry.pad[1], geometry.scale[1], geometry.size[1])};
    return source;
}

// Of 32 ranks, those that stay: each in turn suppresses the later ones that it overlaps.  At most
// `room` of them.
DEVICE unsigned greedy(unsigned alive, const unsigned* overlapping, int lane, int room)
{
    unsigned kept = alive;
    unsigned busy = __ballot_sync(0xffffffffu, (overlapping[lane] & alive) != 0);
    for (; busy; busy &= busy - 1) {
        const int row = __ffs(busy) - 1;
        if (kept >> row & 1) {
            kept &= ~overlapping[row];
        }
    }
    while (__popc(kept) > room) {
        kept ^= 0x80000000u >> __clz(kept);
    }
    return kept;
}

// Whether each of 32 ranks overlaps each later one, a row of bits each; the warps share the rows.
DEVICE void compare(const Shared& shared, int first, int count, const Limits& limits,
                    unsigned* overlapping)
{
    const int lane = threadIdx.x % WARP, other = first + lane;
    for (int row = threadIdx.x / WARP; row < WARP && first + row < count; row += blockDim.x / WARP) {
        const bool overlaps = lane > row && other < count &&
                              suppresses(shared, first + row, shared.boxes[other],
                                         shared.class_ids[other], limits);
        const unsigned bits = __ballot_sync(0xffffffffu, overlaps);
        if (lane == 0) {
            overlapping[row] = bits;
        }
    }
}

// Goes through the ranks, 32 at a time, with one barrier each: those 32 among themselves, and then,
// one thread each, all later ones against those that stay.  The rows of bits alternate between two
// places, so that a warp that is ahead does not write what another still reads.
DEVICE int suppress_and_write(Shared& shared, int count, const Limits& limits,
                              const Geometry& geometry, Detection* rows)
{
    const int thread = threadIdx.x, lane = thread % WARP, warp = thread / WARP;
    const bool exists = thread < count;
    Box box = {}, source = {};
    int class_id = 0;
    if (exists) {
        box = shared.boxes[thread];
        class_id = shared.class_ids[thread];
        source = in_image(box, geometry);
    }
    const bool has_area = source.x_max > source.x_min && source.y_max > source.y_min;
    bool stays = exists;
    const unsigned exist = __ballot_sync(0xffffffffu, exists);
    const unsigned inside = __ballot_sync(0xffffffffu, has_area);
    if (lane == 0) {
        shared.alive[warp] = exist;
        shared.inside[warp] = inside;
    }
    int chosen = 0, written = 0;
    for (int first = 0, part = 0; first < count && chosen < limits.max_detections;
         first += WARP, ++part) {
        unsigned* overlapping = shared.overlapping[part % 2];
        compare(shared, first, count, limits, overlapping);
        __syncthreads();
        const int room = limits.max_detections - chosen;
        const unsigned kept = greedy(shared.alive[part], overlapping, lane, room);
        const unsigned visible = kept & shared.inside[part];
        if (warp == part && visible >> lane & 1) {
            const Detection row = {source, shared.scores[thread], class_id, {0, 0}};
            rows[written + __popc(visible & ((1u << lane) - 1))] = row;
        }
        chosen += __popc(kept);
        written += __popc(visible);
        if (warp > part) {
            for (unsigned left = kept; left && stays; left &= left - 1) {
                stays = !suppresses(shared, first + __ffs(left) - 1, box, class_id, limits);
            }
            const unsigned alive = __ballot_sync(0xffffffffu, stays);
            if (lane == 0) {
                shared.alive[warp] = alive;
            }
        }
    }
    return written;
}

// One block of so many threads as there is room for candidates, rounded up to warps.
extern "C" __global__ void __launch_bounds__(LARGEST) detections_finish(
    const Candidates* candidates, const Settings* settings, Detections* results, Layout layout,
    Geometry geometry)
{
    __shared__ Shared shared;
    const int lost = candidates->count - layout.capacity;
    if (lost > 0) {  // which candidates are here is chance
        if (threadIdx.x == 0) {
            results->count = 0;
            results->lost = lost;
        }
        return;
    }
    if (threadIdx.x == 0) {
        shared.non_finite = shared.inside_out = shared.above_one = 0;
    }
    __syncthreads();
    const Limits limits = settings->limits;
    const int usable = rank_all(candidates, settings, layout, shared);
    const int written = suppress_and_write(shared, usable, limits, geometry, results->rows);
    if (threadIdx.x == 0) {
        results->count = written;
        results->lost = 0;
        results->non_finite = shared.non_finite;
        results->inside_out = shared.inside_out;
        results->above_one = __int_as_float(shared.above_one);
    }
}
