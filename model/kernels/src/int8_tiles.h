// Products of int8 by AMX: a row of a tile has 64 of them, and a tile of the second factor has its numbers in quads, as
// those of bfloat16 lie in pairs (see `tiles.h`).
//
// The matrix is int8. What it is multiplied with is more exact than bfloat16: whole numbers of 16 bits, in two parts of
// int8, 256 * high + low. A tile has both parts of eight rows: the eight high ones, then the low ones.

#pragma once

#include "columns.h"

constexpr int INT8_DEPTH = 64;      // numbers of a tile's row
constexpr int EIGHT = TILE / 2;     // rows of which a tile has both parts
constexpr float WHOLE = 127 * 256;  // the largest number: its high part fits int8, and so does its low part

#ifdef HAS_TILES

constexpr int INT8_TILE = TILE * INT8_DEPTH;  // numbers of a tile

inline Integers rounded(Lanes x) { return (Integers)_mm512_cvtps_epi32((__m512)x); }

// What a tile of int8 products has stored: whole numbers.
inline Lanes stored(const float* sums) { return __builtin_convertvector((Integers)load(sums), Lanes); }

// Sums of both parts of eight rows, and of the next eight, as sums of the sixteen.
inline Lanes whole_of(const float* one, const float* two) {
    const __m512 first = (__m512)stored(one), second = (__m512)stored(two);
    return (Lanes)_mm512_shuffle_f32x4(first, second, 0x44) * 256 + (Lanes)_mm512_shuffle_f32x4(first, second, 0xee);
}

// 64 columns of four rows, `stride` numbers apart, in quads: 16 columns, and `apart` from them the next ones.
inline void interleave(const int8_t* rows, int stride, int8_t* to, size_t apart) {
    const __m512i columns = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    const auto read = [&](int row) {
        return _mm512_permutexvar_epi32(columns, _mm512_loadu_si512(rows + (size_t)row * stride));
    };
    const __m512i a = read(0), b = read(1), c = read(2), d = read(3);
    const __m512i first_two = _mm512_unpacklo_epi8(a, b), second_two = _mm512_unpacklo_epi8(c, d);
    const __m512i third_two = _mm512_unpackhi_epi8(a, b), fourth_two = _mm512_unpackhi_epi8(c, d);
    _mm512_storeu_si512(to, _mm512_unpacklo_epi16(first_two, second_two));
    _mm512_storeu_si512(to + apart, _mm512_unpackhi_epi16(first_two, second_two));
    _mm512_storeu_si512(to + 2 * apart, _mm512_unpacklo_epi16(third_two, fourth_two));
    _mm512_storeu_si512(to + 3 * apart, _mm512_unpackhi_epi16(third_two, fourth_two));
}

// As that of bfloat16 in `columns.h`; with or without the second tile of rows and the second group.
template <bool ROWS_TWO = true, bool TWO = true>
void add_products(const int8_t* rows_one, const int8_t* rows_two, const int8_t* one, const int8_t* two,
                  int stride = 64) {
    in_order();
    _tile_loadd(4, rows_one, stride);
    _tile_loadd(6, one, 64);
    _tile_dpbssd(0, 4, 6);
    if (ROWS_TWO) {
        _tile_loadd(5, rows_two, stride);
        _tile_dpbssd(2, 5, 6);
    }
    if (TWO) {
        _tile_loadd(7, two, 64);
        _tile_dpbssd(1, 4, 7);
    }
    if (ROWS_TWO && TWO) _tile_dpbssd(3, 5, 7);
}

// The same of rows of bytes without a sign.
template <bool ROWS_TWO>
void add_products(const uint8_t* rows_one, const uint8_t* rows_two, const int8_t* one, const int8_t* two) {
    in_order();
    _tile_loadd(4, rows_one, 64);
    _tile_loadd(6, one, 64);
    _tile_dpbusd(0, 4, 6);
    _tile_loadd(7, two, 64);
    _tile_dpbusd(1, 4, 7);
    if (!ROWS_TWO) return;
    _tile_loadd(5, rows_two, 64);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
}

// Rows of numbers as second factor: of each eight rows both parts, (in / 4, 16, 4). This thread's, until its next ones.
class EightRows {
    const int in;
    const size_t groups;
    int8_t* const quads = scratch<int8_t, 20>(groups * TILE * in);
    float* const scales = scratch<float, 21>(groups * EIGHT + TILE);

    // 64 numbers of a row, times the gains, as whole numbers: their high parts and their low ones.
    static void part(const float* x, const float* gains, float scale, Words& high, Words& low) {
        alignas(64) int8_t parts[2][INT8_DEPTH];
        for (int i = 0; i < INT8_DEPTH; i += LANES) {
            const Integers whole = rounded(gained(x, gains, i) * scale), above = (whole + 128) >> 8;
            _mm_store_si128((__m128i*)(parts[0] + i), _mm512_cvtepi32_epi8((__m512i)above));
            _mm_store_si128((__m128i*)(parts[1] + i), _mm512_cvtepi32_epi8((__m512i)(whole - above * 256)));
        }
        high = (Words)_mm512_load_si512(parts[0]);
        low = (Words)_mm512_load_si512(parts[1]);
    }

    static Lanes gained(const float* x, const float* gains, int i) {
        return gains ? load(x + i) * load(gains + i) : load(x + i);
    }

    static float largest_of(const float* x, const float* gains, int in) {
        __m512 most = _mm512_set1_ps(1e-30f);
        for (int i = 0; i < in; i += LANES) most = _mm512_max_ps(most, _mm512_abs_ps((__m512)gained(x, gains, i)));
        return _mm512_reduce_max_ps(most);
    }

public:
    // x (rows, in), times gains (in) where there are; `in` is whole depths.
    EightRows(const float* x, int rows, int in, const float* gains = nullptr)
        : in(in), groups((rows + EIGHT - 1) / EIGHT) {
        std::fill_n(scales, groups * EIGHT + TILE, 0.0f);
        for (int row = 0; row < rows; row++) scales[row] = largest_of(x + (size_t)row * in, gains, in) / WHOLE;
        for (int row = 0; row < rows; row += EIGHT)
            for (int i = 0; i < in; i += INT8_DEPTH) {
                Words parts[TILE] = {};
                for (int r = 0; r < std::min(EIGHT, rows - row); r++)
                    part(x + (size_t)(row + r) * in + i, gains ? gains + i : nullptr, 1 / scales[row + r], parts[r],
                         parts[EIGHT + r]);
                transpose(parts, quads + (size_t)row / EIGHT * TILE * in + (size_t)i * TILE);
            }
    }

    const int8_t* group(int index) const { return quads + (size_t)index * TILE * in; }

    Lanes scales_of(int group) const { return load(scales + group * EIGHT); }  // of its rows and of the next group's
};

#endif
