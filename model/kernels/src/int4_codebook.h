// A matrix in four bits a number: a code of a sign and one of eight levels, times the root mean square of its column
// and then that of its row; divided by both, numbers are nearly normally distributed.
//
// Stored as weight panels (weight_panels.h) of half the size: a byte of a tile has the code of a number of one of its
// first eight rows in its low nibble, and in its high nibble that of the row eight rows on.
//
//     {16, in} to {in / 64, 8, 64} bytes, {16} float32

#pragma once

#include <cstring>

#include "weight_panels.h"

#ifdef READONCE_AMX

namespace readonce {

// The levels that Lloyd's algorithm gives for the normal distribution. The largest stands for 2.75 times the root mean
// square, and a tenth more, because rows have outliers.
constexpr int LEVELS = 8, LARGEST_LEVEL = 127;
constexpr int8_t CODEBOOK[LEVELS] = {6, 18, 30, 43, 58, 75, 96, LARGEST_LEVEL};
constexpr float LARGEST_DEVIATIONS = 2.75f * 1.1f;
constexpr int SIGN_BIT = LEVELS;  // set in the codes of negative numbers

// Two panels of codes as first factor. A step's tiles are decoded to int8 before they are multiplied.
class Int4Panels {
    const int8_t *const one, *const two;
    alignas(64) int8_t tiles[2][2][INT8_TILE];  // {step % 2, panel}

    static void decode(const int8_t* from, int8_t* to) {
        alignas(16) int8_t level_of_code[2 * LEVELS];
        for (int code = 0; code < LEVELS; code++)
            level_of_code[code + SIGN_BIT] = -(level_of_code[code] = CODEBOOK[code]);
        const __m512i levels = _mm512_broadcast_i32x4(_mm_load_si128((const __m128i*)level_of_code));
        const __m512i low_nibble = _mm512_set1_epi8(15);
        for (int row = 0; row < SPLIT_ROWS; row++, from += INT8_TILE_K, to += INT8_TILE_K) {
            _mm_prefetch(from + PREFETCH_BYTES, _MM_HINT_T1);
            const __m512i both = _mm512_loadu_si512(from), high = _mm512_srli_epi16(both, 4);
            _mm512_store_si512(to, _mm512_shuffle_epi8(levels, _mm512_and_si512(both, low_nibble)));
            _mm512_store_si512(to + INT8_TILE / 2, _mm512_shuffle_epi8(levels, _mm512_and_si512(high, low_nibble)));
        }
    }

public:
    static size_t bytes(int in) { return (size_t)TILE * in / 2 + TILE * sizeof(float); }

    Int4Panels(const int8_t* one, const int8_t* two) : one(one), two(two) {}

    const int8_t* tile_of_one(int step) const { return tiles[step % 2][0]; }
    const int8_t* tile_of_two(int step) const { return tiles[step % 2][1]; }

    void prepare(int step) {
        decode(one + step * INT8_TILE / 2, tiles[step % 2][0]);
        decode(two + step * INT8_TILE / 2, tiles[step % 2][1]);
    }
};

// The codes of sixteen numbers; largest: what the largest level stands for.
inline I32x16 encode_int4(F32x16 x, float largest) {
    const F32x16 size = (F32x16)_mm512_abs_ps((__m512)x) * (LARGEST_LEVEL / largest);
    I32x16 level = {};
    for (int i = 1; i < LEVELS; i++) level -= size > (CODEBOOK[i - 1] + CODEBOOK[i]) * 0.5f;  // true is -1
    return level | ((x < 0) & SIGN_BIT);
}

// Rows of a matrix {16, in} as a panel of codes. columns {in}: the root mean squares of the matrix's columns.
inline void pack_int4_panel(const bfloat16* rows, int in, const float* columns, int8_t* panel) {
    auto* const scales = reinterpret_cast<float*>(panel + Int4Panels::bytes(in)) - TILE;
    std::memset(panel, 0, (size_t)TILE * in / 2);
    for (int row = 0; row < TILE; row++, rows += in) {
        F32x16 squares = {};
        const auto normalized = [&](int i) { return load(rows + i) / load(columns + i); };
        for (int i = 0; i < in; i += LANES) squares += normalized(i) * normalized(i);
        const float largest = std::max(LARGEST_DEVIATIONS * std::sqrt(reduce_add(squares) / in), 1e-30f);
        scales[row] = largest / LARGEST_LEVEL;
        int8_t* const to = panel + row % SPLIT_ROWS * INT8_TILE_K;
        for (int i = 0; i < in; i += LANES) {
            auto* const here = (__m128i*)(to + i / INT8_TILE_K * INT8_TILE / 2 + i % INT8_TILE_K);
            const I32x16 codes = encode_int4(normalized(i), largest) << (row / SPLIT_ROWS * 4);
            _mm_storeu_si128(here, _mm_or_si128(_mm_loadu_si128(here), _mm512_cvtepi32_epi8((__m512i)codes)));
        }
    }
}

}  // namespace readonce

#endif
