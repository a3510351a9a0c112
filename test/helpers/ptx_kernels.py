# Copyright 2026 The jetson_infer authors
# SPDX-License-Identifier: Apache-2.0
"""Kernels in PTX, which the driver compiles by itself: tests of launching need no compiler.

``add_one``     adds 1 to each of `count` 32-bit integers at `data`
``layout``      writes its arguments to 32 bytes at `target`: a structure by value, then a short one
``spin``        keeps one thread busy for `cycles` of the device's clock
``fault``       writes to `address`: where nothing is mapped, that ends the context
"""

PTX = b"""
.version 6.3
.target sm_72
.address_size 64

.visible .entry add_one(.param .u64 data, .param .u32 count)
{
    .reg .pred %p;
    .reg .b32 %r<6>;
    .reg .b64 %a<4>;
    ld.param.u64 %a1, [data];
    ld.param.u32 %r1, [count];
    mov.u32 %r2, %ctaid.x;
    mov.u32 %r3, %ntid.x;
    mov.u32 %r4, %tid.x;
    mad.lo.s32 %r5, %r2, %r3, %r4;
    setp.ge.u32 %p, %r5, %r1;
    @%p bra DONE;
    cvta.to.global.u64 %a1, %a1;
    mul.wide.u32 %a2, %r5, 4;
    add.s64 %a3, %a1, %a2;
    ld.global.u32 %r1, [%a3];
    add.s32 %r1, %r1, 1;
    st.global.u32 [%a3], %r1;
DONE:
    ret;
}

.visible .entry layout(.param .u64 target, .param .align 8 .b8 pair[16], .param .u16 small)
{
    .reg .b16 %h<2>;
    .reg .b32 %r<2>;
    .reg .b64 %a<4>;
    ld.param.u64 %a1, [target];
    cvta.to.global.u64 %a1, %a1;
    ld.param.u32 %r1, [pair];
    st.global.u32 [%a1], %r1;
    ld.param.u64 %a2, [pair+8];
    st.global.u64 [%a1+8], %a2;
    ld.param.u16 %h1, [small];
    st.global.u16 [%a1+16], %h1;
    ret;
}

.visible .entry spin(.param .u64 cycles)
{
    .reg .pred %p;
    .reg .b64 %a<5>;
    ld.param.u64 %a1, [cycles];
    mov.u64 %a2, %clock64;
AGAIN:
    mov.u64 %a3, %clock64;
    sub.s64 %a4, %a3, %a2;
    setp.lt.u64 %p, %a4, %a1;
    @%p bra AGAIN;
    ret;
}

.visible .entry fault(.param .u64 address)
{
    .reg .b32 %r<2>;
    .reg .b64 %a<2>;
    ld.param.u64 %a1, [address];
    mov.u32 %r1, 1;
    st.global.u32 [%a1], %r1;
    ret;
}
"""
