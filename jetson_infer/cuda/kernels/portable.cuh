// Copyright 2026 The jetson_infer authors
// SPDX-License-Identifier: Apache-2.0
//
// What the kernels need beside the language.  No header is included, because NVRTC finds none on a
// machine without the CUDA toolkit; float16 is therefore converted by instruction.  A host compiler
// reads the same kernels over test/helpers/cuda_shim.hpp, which defines what is CUDA's alone.

#ifdef __CUDACC__
#define DEVICE __device__ __forceinline__

DEVICE unsigned short half_of(float value)
{
    unsigned short bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
}

DEVICE float float_of(unsigned short half_bits)
{
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half_bits));
    return value;
}
#endif

// A float16 by its bits; the kernels only load, convert and store it.
struct Half {
    unsigned short bits;
};

DEVICE float to_float(float value) { return value; }
DEVICE float to_float(Half value) { return float_of(value.bits); }
