// A matrix in four bits a number: one of sixteen levels, times the root mean square of its column, and then that of its
// row, both of which make numbers nearly normal. In strips (see `strips.h`): a byte of a tile has a number of one of
// its first eight rows, and above it that of the row eight rows on.

#pragma once

#include <cstring>

#include "strips.h"

#ifdef HAS_TILES

// Lloyd's levels of the normal distribution: the largest stands for 2.75 times the root mean square, or a tenth more,
// since rows have outliers.
constexpr int LEVELS = 8, LARGEST_LEVEL = 127;
constexpr int8_t LEVEL[LEVELS] = {6, 18, 30, 43, 58, 75, 96, LARGEST_LEVEL};
constexpr float DEVIATIONS = 2.75f * 1.1f;
constexpr int SIGN = LEVELS;  // the bit of what is negative

// Two strips of such numbers, of which tiles of int8 are made, two of each strip at a time.
class NibbleStrips {
    const int8_t *const one, *const two;
    alignas(64) int8_t tiles[2][2][INT8_TILE];

    static void make(const int8_t* from, int8_t* to) {
        alignas(16) int8_t of_nibble[2 * LEVELS];
        for (int level = 0; level < LEVELS; level++) of_nibble[level + SIGN] = -(of_nibble[level] = LEVEL[level]);
        const __m512i levels = _mm512_broadcast_i32x4(_mm_load_si128((const __m128i*)of_nibble));
        const __m512i low = _mm512_set1_epi8(15);
        for (int row = 0; row < EIGHT; row++, from += INT8_DEPTH, to += INT8_DEPTH) {
            _mm_prefetch(from + BYTES_AHEAD, _MM_HINT_T1);
            const __m512i both = _mm512_loadu_si512(from), above = _mm512_srli_epi16(both, 4);
            _mm512_store_si512(to, _mm512_shuffle_epi8(levels, _mm512_and_si512(both, low)));
            _mm512_store_si512(to + INT8_TILE / 2, _mm512_shuffle_epi8(levels, _mm512_and_si512(above, low)));
        }
    }

public:
    static size_t bytes(int in) { return (size_t)TILE * in / 2 + TILE * sizeof(float); }

    NibbleStrips(const int8_t* one, const int8_t* two) : one(one), two(two) {}

    const int8_t* of_one(int step) const { return tiles[step % 2][0]; }
    const int8_t* of_two(int step) const { return tiles[step % 2][1]; }

    void make(int step) {
        make(one + step * INT8_TILE / 2, tiles[step % 2][0]);
        make(two + step * INT8_TILE / 2, tiles[step % 2][1]);
    }
};

// Sixteen numbers as nibbles; largest: what the largest level stands for.
inline Integers nibbles(Lanes x, float largest) {
    const Lanes size = (Lanes)_mm512_abs_ps((__m512)x) * (LARGEST_LEVEL / largest);
    Integers level = {};
    for (int i = 1; i < LEVELS; i++) level -= size > (LEVEL[i - 1] + LEVEL[i]) * 0.5f;
    return level | ((x < 0) & SIGN);
}

// Rows of a matrix (16, in) as a strip, given the columns' root mean squares.
inline void make_strip(const bfloat16* rows, int in, const float* columns, int8_t* strip) {
    auto* const scales = reinterpret_cast<float*>(strip + NibbleStrips::bytes(in)) - TILE;
    std::memset(strip, 0, (size_t)TILE * in / 2);
    for (int row = 0; row < TILE; row++, rows += in) {
        Lanes squares = {};
        const auto normal = [&](int i) { return load(rows + i) / load(columns + i); };
        for (int i = 0; i < in; i += LANES) squares += normal(i) * normal(i);
        const float largest = std::max(DEVIATIONS * std::sqrt(sum(squares) / in), 1e-30f);
        scales[row] = largest / LARGEST_LEVEL;
        int8_t* const to = strip + row % EIGHT * INT8_DEPTH;
        for (int i = 0; i < in; i += LANES) {
            auto* const here = (__m128i*)(to + i / INT8_DEPTH * INT8_TILE / 2 + i % INT8_DEPTH);
            const Integers made = nibbles(normal(i), largest) << (row / EIGHT * 4);
            _mm_storeu_si128(here, _mm_or_si128(_mm_loadu_si128(here), _mm512_cvtepi32_epi8((__m512i)made)));
        }
    }
}

#endif
