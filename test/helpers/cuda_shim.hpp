// Copyright 2026 The jetson_infer authors
// SPDX-License-Identifier: Apache-2.0
//
// Enough of CUDA's C++ to run the package's kernels on a host, thread by thread, with the same
// arithmetic.  Include it before a kernel's source, then EXPORT each kernel.
//
// A block's threads are fibers, which take turns from barrier to barrier.  All threads of a block that
// have not ended have to come to the same barriers, and all of a warp to the same shuffles and ballots,
// as CUDA asks too.  Warps take turns in order, or by chance, so that one may be ahead of another as
// far as the barriers let it: what lacks a barrier shows.

#include <ucontext.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#define DEVICE inline
#define __global__
#define __shared__ static
#define __launch_bounds__(threads)

struct Dim3 {
    int x, y, z;
};
static Dim3 blockIdx, blockDim, threadIdx;

// What kernels may read through __ldg; whatever lies outside is counted and reads as 0xAA.
extern "C" {
uintptr_t shim_readable_from = 0, shim_readable_to = UINTPTR_MAX;
long shim_stray_reads = 0;
uint64_t shim_disorder = 0;  // a seed; 0: in order
}

template <class Value>
static inline Value __ldg(const Value* at)
{
    const uintptr_t first = (uintptr_t)at;
    if (first < shim_readable_from || first + sizeof(Value) > shim_readable_to ||
        first % sizeof(Value)) {
        ++shim_stray_reads;
        Value stray;
        memset(&stray, 0xAA, sizeof stray);
        return stray;
    }
    return *at;
}

static inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift)
{
    return (unsigned)((((uint64_t)high << 32) | low) >> (shift & 31));
}

static inline float __int_as_float(int bits)
{
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static inline int __float_as_int(float value)
{
    int bits;
    memcpy(&bits, &value, 4);
    return bits;
}

static inline int atomicAdd(int* counter, int amount)
{
    const int before = *counter;
    *counter += amount;
    return before;
}

static inline int atomicMax(int* greatest, int value)
{
    const int before = *greatest;
    *greatest = before > value ? before : value;
    return before;
}

static inline int __ffs(unsigned bits) { return __builtin_ffs((int)bits); }
static inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
static inline int __clz(unsigned bits) { return bits ? __builtin_clz(bits) : 32; }

// Rounded once each: the host compiler is told not to contract, and rounds to nearest.
static inline float __fadd_rn(float one, float other) { return one + other; }
static inline float __fsub_rn(float one, float other) { return one - other; }
static inline float __fmul_rn(float one, float other) { return one * other; }
static inline float __fdiv_rn(float one, float other) { return one / other; }
static inline double __dadd_rn(double one, double other) { return one + other; }
static inline double __dsub_rn(double one, double other) { return one - other; }
static inline double __dmul_rn(double one, double other) { return one * other; }
static inline double __ddiv_rn(double one, double other) { return one / other; }

// IEEE 754 binary16, rounded to nearest even.
static inline unsigned short half_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) {
        return sign | 0x7fff;
    }
    if (magnitude >= 0x477ff000) {  // rounds to 65536
        return sign | 0x7c00;
    }
    const int exponent = (int)(magnitude >> 23) - 127;
    uint32_t significand = (magnitude & 0x7fffff) | 0x800000;
    const int dropped = exponent >= -14 ? 13 : 13 + (-14 - exponent);
    if (dropped > 24) {
        return sign;
    }
    const uint32_t kept = significand >> dropped, rest = significand & ((1u << dropped) - 1);
    const uint32_t half = 1u << (dropped - 1);
    const uint32_t rounded = kept + (rest > half || (rest == half && (kept & 1)));
    // The significand's leading bit adds one to the exponent of a normal number.
    return sign | (exponent >= -14 ? ((uint32_t)(exponent + 14) << 10) + rounded : rounded);
}

static inline float float_of(unsigned short half_bits)
{
    const uint32_t sign = (uint32_t)(half_bits & 0x8000) << 16, exponent = half_bits >> 10 & 31;
    const uint32_t significand = half_bits & 0x3ff;
    if (exponent == 0) {
        const float value = (float)significand * 5.9604644775390625e-8f;  // 2^-24
        return sign ? -value : value;
    }
    const uint32_t bits =
        sign | (exponent == 31 ? 0x7f800000 : (exponent + 112) << 23) | significand << 13;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

namespace shim {

struct Fiber {
    ucontext_t context;
    std::vector<char> stack;
    Dim3 index;
    bool done;
};

static ucontext_t scheduler;
static std::vector<Fiber> fibers;
static Fiber* running;
static size_t left;  // threads of the block that have not ended
static uint32_t exchanged[1024];

// Where threads wait until all have come.
struct Barrier {
    size_t arrived;
    unsigned passed;

    void wait(const size_t& wanted)  // which falls where threads end meanwhile
    {
        const unsigned turn = passed;
        for (++arrived; turn == passed; swapcontext(&running->context, &scheduler)) {
            if (arrived >= wanted) {
                arrived = 0;
                ++passed;
                return;
            }
        }
    }
};

static Barrier block_barrier, warp_barriers[32];

static inline int thread_of_block()
{
    return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}

static inline void wait_for_the_block() { block_barrier.wait(left); }

static inline void wait_for_the_warp() { warp_barriers[thread_of_block() / 32].wait(32); }

template <class Body>
static Body*& body()
{
    static Body* current;
    return current;
}

template <class Body>
static void enter()
{
    (*body<Body>())();
    running->done = true;
    --left;
}

// Knuth's linear congruential generator for 64 bits (MMIX).
static inline size_t by_chance()
{
    shim_disorder = shim_disorder * 6364136223846793005u + 1442695040888963407u;
    return shim_disorder >> 33;
}

template <class Body>
static void run_block(Body& function)
{
    const size_t threads = (size_t)blockDim.x * blockDim.y * blockDim.z;
    fibers.resize(threads);
    body<Body>() = &function;
    for (size_t i = 0; i < threads; ++i) {
        Fiber& fiber = fibers[i];
        fiber.stack.resize(32768);
        fiber.index = {(int)(i % blockDim.x), (int)(i / blockDim.x % blockDim.y),
                       (int)(i / blockDim.x / blockDim.y)};
        fiber.done = false;
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.data();
        fiber.context.uc_stack.ss_size = fiber.stack.size();
        fiber.context.uc_link = &scheduler;
        makecontext(&fiber.context, enter<Body>, 0);
    }
    left = threads;
    const size_t warps = (threads + 31) / 32;
    for (size_t turn = 0; left; ++turn) {
        const size_t warp = (shim_disorder ? by_chance() : turn) % warps;
        for (size_t i = 32 * warp; i < threads && i < 32 * (warp + 1); ++i) {
            if (!fibers[i].done) {
                running = &fibers[i];
                threadIdx = running->index;
                swapcontext(&scheduler, &running->context);
            }
        }
    }
}

// Reads an argument from where CUDA's rules put it: at a multiple of its own alignment.
template <class Value>
static Value take(const char* packed, size_t& offset)
{
    offset = (offset + alignof(Value) - 1) / alignof(Value) * alignof(Value);
    Value value;
    memcpy(&value, packed + offset, sizeof value);
    offset += sizeof value;
    return value;
}

template <class... Arguments>
static void launch(void (*kernel)(Arguments...), const int* grid, const int* block,
                   const char* packed)
{
    size_t offset = 0;
    const std::tuple<Arguments...> arguments{take<Arguments>(packed, offset)...};
    auto thread = [&] { std::apply(kernel, arguments); };
    blockDim = {block[0], block[1], block[2]};
    for (blockIdx.z = 0; blockIdx.z < grid[2]; ++blockIdx.z) {
        for (blockIdx.y = 0; blockIdx.y < grid[1]; ++blockIdx.y) {
            for (blockIdx.x = 0; blockIdx.x < grid[0]; ++blockIdx.x) {
                run_block(thread);
            }
        }
    }
}

}  // namespace shim

static inline void __syncthreads() { shim::wait_for_the_block(); }

static inline int __syncthreads_count(bool is_true)
{
    static int count, answer;
    count += is_true;
    shim::wait_for_the_block();
    answer += count;
    count = 0;
    const int all = answer;
    shim::wait_for_the_block();
    answer = 0;
    return all;
}

template <class Value>
static Value __shfl_down_sync(unsigned, Value value, int distance)
{
    const int thread = shim::thread_of_block();
    memcpy(&shim::exchanged[thread], &value, sizeof value);
    shim::wait_for_the_warp();
    if (thread % 32 + distance < 32) {
        memcpy(&value, &shim::exchanged[thread + distance], sizeof value);
    }
    shim::wait_for_the_warp();
    return value;
}

// Of a whole warp.
static inline unsigned __ballot_sync(unsigned, bool is_true)
{
    const int thread = shim::thread_of_block(), first = thread / 32 * 32;
    shim::exchanged[thread] = is_true;
    shim::wait_for_the_warp();
    unsigned bits = 0;
    for (int lane = 0; lane < 32; ++lane) {
        bits |= shim::exchanged[first + lane] << lane;
    }
    shim::wait_for_the_warp();
    return bits;
}

#define EXPORT(NAME)                                                                \
    extern "C" void run_##NAME(const int* grid, const int* block, const char* packed) \
    {                                                                               \
        shim::launch(NAME, grid, block, packed);                                    \
    }
