// Copyright 2026 The jetson_infer authors
// SPDX-License-Identifier: Apache-2.0
//
// Enough of CUDA's C++ to run the package's kernels on a host, thread by thread, with the same
// arithmetic.  Include it before a kernel's source, then EXPORT each kernel.
//
// A block's threads are fibers.  They take turns from barrier to barrier: one turn of all of them is
// one phase, so that what a thread wrote before a barrier is there for the others after it.  Every
// thread of a block has to pass the same barriers and shuffles, as CUDA asks too.

#include <ucontext.h>

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

static inline int atomicAdd(int* counter, int amount)
{
    const int before = *counter;
    *counter += amount;
    return before;
}

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
static uint32_t exchanged[1024];

static inline void wait_for_the_others() { swapcontext(&running->context, &scheduler); }

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
    for (size_t left = threads; left;) {
        left = 0;
        for (Fiber& fiber : fibers) {
            if (!fiber.done) {
                running = &fiber;
                threadIdx = fiber.index;
                swapcontext(&scheduler, &fiber.context);
                left += !fiber.done;
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

static inline void __syncthreads() { shim::wait_for_the_others(); }

template <class Value>
static Value __shfl_down_sync(unsigned, Value value, int distance)
{
    const int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    memcpy(&shim::exchanged[thread], &value, sizeof value);
    shim::wait_for_the_others();
    if (thread % 32 + distance < 32) {
        memcpy(&value, &shim::exchanged[thread + distance], sizeof value);
    }
    shim::wait_for_the_others();
    return value;
}

#define EXPORT(NAME)                                                                \
    extern "C" void run_##NAME(const int* grid, const int* block, const char* packed) \
    {                                                                               \
        shim::launch(NAME, grid, block, packed);                                    \
    }
