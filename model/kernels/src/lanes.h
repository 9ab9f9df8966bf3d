// Sixteen numbers at a time, as the compiler's own vectors: every processor gets its widest instructions.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

constexpr int LANES = 16;
constexpr float NOTHING = -1e20f;  // the highest of no scores
constexpr float MASKED = -1e30f;   // the score of what nobody sees

typedef float Lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));
typedef uint32_t Words __attribute__((vector_size(4 * LANES)));
typedef float LanesAnywhere __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint16_t HalvesAnywhere __attribute__((vector_size(2 * LANES), aligned(2), may_alias));
typedef int16_t Shorts __attribute__((vector_size(2 * LANES)));
typedef int8_t BytesAnywhere __attribute__((vector_size(LANES), aligned(1), may_alias));
typedef uint16_t bfloat16;

inline Lanes load(const float* from) { return *reinterpret_cast<const LanesAnywhere*>(from); }

inline Lanes load(const bfloat16* from) {
    return (Lanes)(__builtin_convertvector(*reinterpret_cast<const HalvesAnywhere*>(from), Words) << 16);
}

inline Lanes load(const int8_t* from) {
#ifdef __AVX512F__  // GCC would take them apart
    return (Lanes)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#else
    const auto shorts = __builtin_convertvector(*reinterpret_cast<const BytesAnywhere*>(from), Shorts);
    return __builtin_convertvector(__builtin_convertvector(shorts, Integers), Lanes);
#endif
}

inline void store(float* to, Lanes value) { *reinterpret_cast<LanesAnywhere*>(to) = value; }

inline void store(bfloat16* to, Lanes value) {  // rounded to the nearest, halves to even
    const Words bits = (Words)value, rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    *reinterpret_cast<HalvesAnywhere*>(to) = __builtin_convertvector(rounded, HalvesAnywhere);
}

inline Lanes all(float value) { return Lanes{} + value; }

inline float sum(Lanes lanes) {
    typedef float Eight __attribute__((vector_size(32)));
    typedef float Four __attribute__((vector_size(16)));
    const Eight eight = __builtin_shufflevector(lanes, lanes, 0, 1, 2, 3, 4, 5, 6, 7) +
                        __builtin_shufflevector(lanes, lanes, 8, 9, 10, 11, 12, 13, 14, 15);
    const Four four =
        __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
    return (four[0] + four[2]) + (four[1] + four[3]);
}

inline Lanes larger(Lanes a, Lanes b) {
#ifdef __AVX512F__
    return (Lanes)_mm512_max_ps((__m512)a, (__m512)b);
#else
    return a > b ? a : b;
#endif
}

inline float highest(Lanes lanes) {
    float most = lanes[0];
    for (int lane = 1; lane < LANES; lane++) most = std::max(most, lanes[lane]);
    return most;
}

inline Lanes exp(Lanes x) {  // relative error 2e-7; 0 below -87, and above 88 what it is there
    const auto counts = x > all(-87);
    x = counts ? x : all(-87);
    x = x < all(88) ? x : all(88);
    const Lanes shift = all(12582912);  // 1.5 * 2^23: what is added to it is rounded to a whole number
    const Lanes power = (x * 1.44269504f + shift) - shift;
    const Lanes rest = x - power * 0.693145752f - power * 1.42860677e-6f;  // log(2) in two parts
    Lanes value = rest * (1.0f / 720) + 1.0f / 120;
    value = value * rest + 1.0f / 24;
    value = value * rest + 1.0f / 6;
    value = value * rest + 0.5f;
    value = value * rest + 1.0f;
    value = value * rest + 1.0f;
    value *= (Lanes)((__builtin_convertvector(power, Integers) + 127) << 23);
    return counts ? value : all(0);
}

inline Lanes gelu(Lanes x) {  // tanh's approximation, written with exp
    return x / (1.0f + exp(-1.59576912f * (x + 0.044715f * x * x * x)));
}
