// Copyright 2026 The jetson_infer authors
// SPDX-License-Identifier: Apache-2.0
//
// Camera bytes to the network's input in one pass: colour, bilinear scaling, letterbox, padding,
// (pixel - mean) * scale, layout and type.  preprocess_reference.py computes the same to the bit.
//
// Compiled once for every kind of network input:
//   TARGET  0 float32, 1 float16, 2 uint8      COLOUR  0 rgb, 1 bgr, 2 grey
//   PLANAR  1 NCHW, 0 NHWC
// One function an encoding, and a second one that loads whole words where addresses allow it.

#include "portable.cuh"

#if COLOUR == 2
#define OUT_CHANNELS 1
#else
#define OUT_CHANNELS 3
#endif

typedef unsigned char Byte;

// Mirrors GEOMETRY in geometry.py, member by member.
struct Geometry {
    long long start_x, step_x;  // source column of a scaled one: start + step * x, 32.32 fixed point
    long long start_y, step_y;
    int step, width, height;  // of the source: bytes from row to row, pixels
    int inner_width, inner_height, pad_x, pad_y;
    int network_width, network_height;
    int packed;  // source rows that lie there for each scaled one, 1 or 2; 0: all source rows do
    int pad_value;
    float mean[3], scale[3];  // in the network's order of channels
};

// Samples of one pixel, 0 to 255 or a weighted sum of such.  Grey uses the first.
struct Colour {
    int r, g, b;
};

// Where a scaled pixel lies between two source pixels, in 2048ths of the way from first to second.
struct Tap {
    int first, weight;
};

DEVICE Tap tap_at(long long position, int extent)
{
    Tap tap;
    tap.first = (int)(position >> 32);
    tap.weight = (int)((((unsigned)position >> 20) + 1) >> 1);
    if (tap.first < 0) {
        tap.first = 0;
        tap.weight = 0;
    }
    // The last pixel is the second of a pair, so that a pair never reaches beyond the row.
    if (tap.first > extent - 2) {
        tap.first = extent > 1 ? extent - 2 : 0;
        tap.weight = extent > 1 ? 2048 : 0;
    }
    return tap;
}

DEVICE unsigned word_at(const Byte* address) { return __ldg((const unsigned*)address); }

DEVICE const Byte* row_at(const Byte* source, const Geometry& geometry, int y)
{
    return source + (size_t)geometry.step * y;
}

// An encoding gives the two neighbouring pixels x and x + second of row y, where second is 1 but in
// an image of one column.  GREY tells whether it has one sample a pixel.

struct Mono {
    static const bool GREY = true;
    static DEVICE void pair(const Byte* source, const Geometry& geometry, int x, int y, int second,
                            Colour& left, Colour& right)
    {
        const Byte* at = row_at(source, geometry, y) + x;
        left.r = __ldg(at);
        right.r = __ldg(at + second);
    }
};

DEVICE Colour ordered(int first, int second, int third, bool red_first)
{
    Colour colour;
    colour.r = red_first ? first : third;
    colour.g = second;
    colour.b = red_first ? third : first;
    return colour;
}

DEVICE Colour from_word(unsigned word, bool red_first)
{
    return ordered(word & 255, word >> 8 & 255, word >> 16 & 255, red_first);
}

template <int BYTES, bool RED_FIRST>
struct Interleaved {
    static const bool GREY = false;
    static DEVICE void pair(const Byte* source, const Geometry& geometry, int x, int y, int second,
                            Colour& left, Colour& right)
    {
        const Byte* at = row_at(source, geometry, y) + BYTES * x;
        const Byte* next = at + BYTES * second;
        left = ordered(__ldg(at), __ldg(at + 1), __ldg(at + 2), RED_FIRST);
        right = ordered(__ldg(next), __ldg(next + 1), __ldg(next + 2), RED_FIRST);
    }
};

// Six bytes lie in two aligned words, or in three if they begin with the last byte of one.
template <bool RED_FIRST>
struct ThreeByWords {
    static const bool GREY = false;
    static DEVICE void pair(const Byte* source, const Geometry& geometry, int x, int y, int,
                            Colour& left, Colour& right)
    {
        const Byte* at = row_at(source, geometry, y) + 3 * x;
        const int skipped = (int)((size_t)at & 3);
        const Byte* aligned = at - skipped;
        const unsigned middle = word_at(aligned + 4);
        const unsigned last = skipped == 3 ? word_at(aligned + 8) : 0;
        const unsigned low = __funnelshift_r(word_at(aligned), middle, 8 * skipped);
        const unsigned high = __funnelshift_r(middle, last, 8 * skipped);
        left = from_word(low, RED_FIRST);
        right = ordered(low >> 24, high & 255, high >> 8 & 255, RED_FIRST);
    }
};

template <bool RED_FIRST>
struct FourByWords {
    static const bool GREY = false;
    static DEVICE void pair(const Byte* source, const Geometry& geometry, int x, int y, int,
                            Colour& left, Colour& right)
    {
        const Byte* at = row_at(source, geometry, y) + 4 * x;
        left = from_word(word_at(at), RED_FIRST);
        right = from_word(word_at(at + 4), RED_FIRST);
    }
};

DEVICE int clamped(int value) { return value < 0 ? 0 : value > 255 ? 255 : value; }

// ITU-R BT.601 with luma from 16 to 235, as OpenCV computes it: coefficients times 2^20, and the sum
// is rounded once.
DEVICE Colour from_yuv(int y, int u, int v)
{
    const int half = 1 << 19;
    const int luma = (y > 16 ? y - 16 : 0) * 1220542;  // 1.164
    u -= 128;
    v -= 128;
    Colour colour;
    colour.r = clamped((luma + half + 1673527 * v) >> 20);               // 1.596
    colour.g = clamped((luma + half - 852492 * v - 409993 * u) >> 20);   // 0.813, 0.391
    colour.b = clamped((luma + half + 2116026 * u) >> 20);               // 2.018
    return colour;
}

// Two pixels in four bytes: U Y V Y (UYVY), or Y U Y V.
template <bool LUMA_FIRST, bool WORDS>
struct Packed422 {
    static const bool GREY = OUT_CHANNELS == 1;  // a grey network sees the luma as it is
    static DEVICE Colour pixel(const Byte* row, int x)
    {
        Colour colour;
        if (GREY) {
            colour.r = __ldg(row + 2 * x + (LUMA_FIRST ? 0 : 1));
        } else if (WORDS) {
            const unsigned word = word_at(row + 4 * (x >> 1));
            const int luma = (x & 1 ? 16 : 0) + (LUMA_FIRST ? 0 : 8), u = LUMA_FIRST ? 8 : 0;
            colour = from_yuv(word >> luma & 255, word >> u & 255, word >> (u + 16) & 255);
        } else {
            const Byte* chroma = row + 4 * (x >> 1) + (LUMA_FIRST ? 1 : 0);
            const int luma = __ldg(row + 2 * x + (LUMA_FIRST ? 0 : 1));
            colour = from_yuv(luma, __ldg(chroma), __ldg(chroma + 2));
        }
        return colour;
    }
    static DEVICE void pair(const Byte* source, const Geometry& geometry, int x, int y, int,
                            Colour& left, Colour& right)
    {
        const Byte* row = row_at(source, geometry, y);
        left = pixel(row, x);
        right = pixel(row, x + 1);
    }
};

// A plane of luma, then rows of U V (NV12) or V U for 2x2 pixels each.
template <bool U_FIRST, bool WORDS>
struct SemiPlanar420 {
    static const bool GREY = OUT_CHANNELS == 1;
    static DEVICE Colour pixel(const Byte* luma, const Byte* chroma, int x)
    {
        Colour colour;
        if (GREY) {
            colour.r = __ldg(luma + x);
            return colour;
        }
        int first, second;
        const Byte* at = chroma + (x & ~1);
        if (WORDS) {
            const unsigned both = __ldg((const unsigned short*)at);
            first = both & 255;
            second = both >> 8;
        } else {
            first = __ldg(at);
            second = __ldg(at + 1);
        }
        return from_yuv(__ldg(luma + x), U_FIRST ? first : second, U_FIRST ? second : first);
    }
    static DEVICE void pair(const Byte* source, const Geometry& geometry, int x, int y, int,
                            Colour& left, Colour& right)
    {
        const Byte* luma = row_at(source, geometry, y);
        const Byte* chroma = row_at(source, geometry, geometry.height + (y >> 1));
        left = pixel(luma, chroma, x);
        right = pixel(luma, chroma, x + 1);
    }
};

DEVICE int across(int left, int right, int weight) { return (2048 - weight) * left + weight * right; }

// As OpenCV's 8-bit resize rounds: the weighted rows lose 4 bits, their products 16, the sum 2.
DEVICE int down(int upper, int lower, int weight)
{
    return (((2048 - weight) * (upper >> 4) >> 16) + (weight * (lower >> 4) >> 16) + 2) >> 2;
}

template <class Encoding>
DEVICE Colour row_sample(const Byte* source, const Geometry& geometry, Tap column, int y)
{
    Colour left = {}, right = {};
    Encoding::pair(source, geometry, column.first, y, geometry.width > 1, left, right);
    Colour mixed = {};
    mixed.r = across(left.r, right.r, column.weight);
    if (!Encoding::GREY) {
        mixed.g = across(left.g, right.g, column.weight);
        mixed.b = across(left.b, right.b, column.weight);
    }
    return mixed;
}

// Samples two pixels of one row.  Their loads do not wait for each other, which hides the memory's
// latency; both may be read although one lies in the padding, since taps stay within the image.
template <class Encoding>
DEVICE void sample(const Byte* source, const Geometry& geometry, const Tap (&columns)[2], Tap row,
                   Colour (&colours)[2])
{
    Colour upper[2], lower[2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        upper[i] = lower[i] = row_sample<Encoding>(source, geometry, columns[i], row.first);
    }
    if (row.weight) {  // the same for a whole warp; at odd factors half of the rows are never read
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            lower[i] = row_sample<Encoding>(source, geometry, columns[i], row.first + 1);
        }
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        colours[i].r = down(upper[i].r, lower[i].r, row.weight);
        if (!Encoding::GREY) {
            colours[i].g = down(upper[i].g, lower[i].g, row.weight);
            colours[i].b = down(upper[i].b, lower[i].b, row.weight);
        }
    }
}

template <class Encoding>
DEVICE void spread(Colour colour, int (&channels)[OUT_CHANNELS])
{
    if (Encoding::GREY) {
        for (int c = 0; c < OUT_CHANNELS; ++c) {
            channels[c] = colour.r;
        }
        return;
    }
#if COLOUR == 2  // 0.299, 0.587 and 0.114 times 2^15
    channels[0] = (9798 * colour.r + 19235 * colour.g + 3735 * colour.b + 16384) >> 15;
#elif COLOUR == 1
    channels[0] = colour.b, channels[1] = colour.g, channels[2] = colour.r;
#else
    channels[0] = colour.r, channels[1] = colour.g, channels[2] = colour.b;
#endif
}

#if TARGET == 0
typedef float Element;
DEVICE Element element(int pixel, float mean, float scale) { return ((float)pixel - mean) * scale; }
#elif TARGET == 1
typedef unsigned short Element;
DEVICE Element element(int pixel, float mean, float scale)
{
    return half_of(((float)pixel - mean) * scale);
}
#else
typedef Byte Element;
DEVICE Element element(int pixel, float, float) { return (Byte)pixel; }
#endif

struct alignas(2 * sizeof(Element)) Two {
    Element first, second;
};

// Writes two neighbouring pixels, or the one that is left at the end of a row of odd length.
DEVICE void store(Element* target, const Geometry& geometry, int x, int y,
                  const Element (&left)[OUT_CHANNELS], const Element (&right)[OUT_CHANNELS])
{
    const int width = geometry.network_width;
    const size_t pixel = (size_t)width * y + x;
    const size_t plane = (size_t)width * geometry.network_height;
    Element both[2 * OUT_CHANNELS];  // as they lie in memory
    for (int c = 0; c < OUT_CHANNELS; ++c) {
        both[PLANAR ? 2 * c : c] = left[c];
        both[PLANAR ? 2 * c + 1 : OUT_CHANNELS + c] = right[c];
    }
    for (int c = 0; c < OUT_CHANNELS; ++c) {
        Element* at = target + (PLANAR ? plane * c + pixel : OUT_CHANNELS * pixel + 2 * c);
        if (width % 2 == 0) {
            const Two two = {both[2 * c], both[2 * c + 1]};
            *(Two*)at = two;
        } else {
            const bool whole = x + 1 < width;
            // Planar, `at` is the left pixel; interleaved, two samples of the 2 * OUT_CHANNELS.
            if (whole || PLANAR || 2 * c < OUT_CHANNELS) {
                at[0] = both[2 * c];
            }
            if (whole || (!PLANAR && 2 * c + 1 < OUT_CHANNELS)) {
                at[1] = both[2 * c + 1];
            }
        }
    }
}

template <class Encoding>
DEVICE void preprocess(const Byte* source, void* target, const Geometry& geometry)
{
    const int x = 2 * (blockIdx.x * blockDim.x + threadIdx.x);
    const int y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= geometry.network_width || y >= geometry.network_height) {
        return;
    }
    const int inner_x = x - geometry.pad_x, inner_y = y - geometry.pad_y;
    const bool row_inside = inner_y >= 0 && inner_y < geometry.inner_height;
    Colour colours[2] = {};
    if (row_inside) {
        Tap row = tap_at(geometry.start_y + geometry.step_y * inner_y, geometry.height);
        if (geometry.packed) {
            row.first = geometry.packed * inner_y;
        }
        const long long position = geometry.start_x + geometry.step_x * inner_x;
        const Tap columns[2] = {tap_at(position, geometry.width),
                                tap_at(position + geometry.step_x, geometry.width)};
        sample<Encoding>(source, geometry, columns, row, colours);
    }
    Element elements[2][OUT_CHANNELS];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const bool inside = row_inside && inner_x + i >= 0 && inner_x + i < geometry.inner_width;
        int channels[OUT_CHANNELS];
        spread<Encoding>(colours[i], channels);
        for (int c = 0; c < OUT_CHANNELS; ++c) {
            const int pixel = inside ? channels[c] : geometry.pad_value;
            elements[i][c] = element(pixel, geometry.mean[c], geometry.scale[c]);
        }
    }
    store((Element*)target, geometry, x, y, elements[0], elements[1]);
}

#define KERNEL(NAME, ...)                                                                     \
    extern "C" __global__ void __launch_bounds__(256)                                         \
        preprocess_##NAME(const Byte* source, void* target, Geometry geometry)                \
    {                                                                                         \
        preprocess<__VA_ARGS__>(source, target, geometry);                                    \
    }

KERNEL(mono8, Mono)
KERNEL(rgb8, Interleaved<3, true>)
KERNEL(bgr8, Interleaved<3, false>)
KERNEL(rgba8, Interleaved<4, true>)
KERNEL(bgra8, Interleaved<4, false>)
KERNEL(uyvy, Packed422<false, false>)
KERNEL(yuyv, Packed422<true, false>)
KERNEL(nv12, SemiPlanar420<true, false>)
KERNEL(nv21, SemiPlanar420<false, false>)
KERNEL(rgb8_words, ThreeByWords<true>)
KERNEL(bgr8_words, ThreeByWords<false>)
KERNEL(rgba8_words, FourByWords<true>)
KERNEL(bgra8_words, FourByWords<false>)
KERNEL(uyvy_words, Packed422<false, true>)
KERNEL(yuyv_words, Packed422<true, true>)
KERNEL(nv12_words, SemiPlanar420<true, true>)
KERNEL(nv21_words, SemiPlanar420<false, true>)
