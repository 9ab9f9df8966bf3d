// Vectors of sixteen 32-bit lanes, written with the compiler's own vector extensions: each processor gets its widest
// instructions (one AVX-512 register, two of AVX2, four of SSE or NEON), and all of them the same results.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace readonce {

constexpr int LANES = 16;
constexpr float EMPTY_MAX = -1e20f;     // a running maximum before the first score
constexpr float MASKED_SCORE = -1e30f;  // the score of a key that a query may not attend to

typedef float F32x16 __attribute__((vector_size(4 * LANES)));
typedef int32_t I32x16 __attribute__((vector_size(4 * LANES)));
typedef uint32_t U32x16 __attribute__((vector_size(4 * LANES)));
typedef int16_t I16x16 __attribute__((vector_size(2 * LANES)));
typedef float UnalignedF32x16 __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint16_t UnalignedU16x16 __attribute__((vector_size(2 * LANES), aligned(2), may_alias));
typedef int8_t UnalignedI8x16 __attribute__((vector_size(LANES), aligned(1), may_alias));
typedef uint16_t bfloat16;  // the upper half of a float's bits

inline F32x16 load(const float* from) { return *reinterpret_cast<const UnalignedF32x16*>(from); }

inline F32x16 load(const bfloat16* from) {
    return (F32x16)(__builtin_convertvector(*reinterpret_cast<const UnalignedU16x16*>(from), U32x16) << 16);
}

inline F32x16 load(const int8_t* from) {
#ifdef __AVX512F__  // GCC would convert lane by lane
    return (F32x16)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#else
    const auto wide = __builtin_convertvector(*reinterpret_cast<const UnalignedI8x16*>(from), I16x16);
    return __builtin_convertvector(__builtin_convertvector(wide, I32x16), F32x16);
#endif
}

inline void store(float* to, F32x16 value) { *reinterpret_cast<UnalignedF32x16*>(to) = value; }

inline void store(bfloat16* to, F32x16 value) {  // rounded to nearest, ties to even
    const U32x16 bits = (U32x16)value, rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    *reinterpret_cast<UnalignedU16x16*>(to) = __builtin_convertvector(rounded, UnalignedU16x16);
}

inline F32x16 broadcast(float value) { return F32x16{} + value; }

inline float reduce_add(F32x16 x) {  // in a fixed order: 8 + 8, 4 + 4, 2 + 2, 1 + 1
    typedef float F32x8 __attribute__((vector_size(32)));
    typedef float F32x4 __attribute__((vector_size(16)));
    const F32x8 eight = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
                        __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
    const F32x4 four =
        __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
    return (four[0] + four[2]) + (four[1] + four[3]);
}

inline F32x16 max(F32x16 a, F32x16 b) {
#ifdef __AVX512F__
    return (F32x16)_mm512_max_ps((__m512)a, (__m512)b);
#else
    return a > b ? a : b;
#endif
}

inline float reduce_max(F32x16 x) {
    float most = x[0];
    for (int lane = 1; lane < LANES; lane++) most = std::max(most, x[lane]);
    return most;
}

// e^x with a relative error of 2e-7. It is 0 below -87, and above 88 what it is at 88.
//
// With n = round(x / log 2) and r = x - n log 2, which lies within log(2) / 2 of 0, e^x = 2^n e^r: e^r is a polynomial,
// and 2^n is made of the exponent's bits.
inline F32x16 exp(F32x16 x) {
    const auto in_range = x > broadcast(-87);
    x = in_range ? x : broadcast(-87);
    x = x < broadcast(88) ? x : broadcast(88);
    const F32x16 rounder = broadcast(12582912);  // 1.5 * 2^23: a float that is added to it is rounded to an integer
    const F32x16 n = (x * 1.44269504f + rounder) - rounder;
    const F32x16 r = x - n * 0.693145752f - n * 1.42860677e-6f;  // log(2) in two parts
    F32x16 value = r * (1.0f / 720) + 1.0f / 120;
    value = value * r + 1.0f / 24;
    value = value * r + 1.0f / 6;
    value = value * r + 0.5f;
    value = value * r + 1.0f;
    value = value * r + 1.0f;
    value *= (F32x16)((__builtin_convertvector(n, I32x16) + 127) << 23);
    return in_range ? value : broadcast(0);
}

// GELU in its tanh approximation, written with exp: 1 + tanh(z) = 2 / (1 + e^(-2z)).
inline F32x16 gelu(F32x16 x) { return x / (1.0f + exp(-1.59576912f * (x + 0.044715f * x * x * x))); }

}  // namespace readonce
