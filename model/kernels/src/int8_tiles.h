// Products of int8 by AMX. TDPBSSD adds to a tile C of int32 the product of a tile A and a tile B of int8:
//
//     C {16, 16} += A {16, 64} x B {64, 16}        B as {K, N} to {K / 4, N, 4}: "vnni4"
//
// The matrix is int8. The other factor is more exact than bfloat16: integers of 16 bits, split into two int8 halves,
// x = 256 * high + low. A tile of B has both halves of eight rows as its columns: eight high ones, then eight low ones.

#pragma once

#include "token_major.h"

namespace readonce {

constexpr int INT8_TILE_K = 64;         // int8 numbers of a tile's row
constexpr int SPLIT_ROWS = TILE / 2;    // rows whose halves share a tile
constexpr float SPLIT_MAX = 127 * 256;  // the largest integer both of whose halves fit int8

}  // namespace readonce

#ifdef READONCE_AMX

namespace readonce {

constexpr int INT8_TILE = TILE * INT8_TILE_K;  // int8 numbers of a tile

inline I32x16 round_to_int(F32x16 x) { return (I32x16)_mm512_cvtps_epi32((__m512)x); }

// Sums of int8 products, which are int32, as float32.
inline F32x16 load_int_sums(const float* sums) { return __builtin_convertvector((I32x16)load(sums), F32x16); }

// Sums of the halves of eight rows, {high 8, low 8}, and of the next eight -> the sums of these sixteen rows.
inline F32x16 join_halves(const float* one, const float* two) {
    const __m512 first = (__m512)load_int_sums(one), second = (__m512)load_int_sums(two);
    return (F32x16)_mm512_shuffle_f32x4(first, second, 0x44) * 256 + (F32x16)_mm512_shuffle_f32x4(first, second, 0xee);
}

// {4 rows of `stride`, 64 columns} to {4, 16, 4}: 16 columns each, `apart` numbers from one to the next.
inline void pack_vnni4(const int8_t* rows, int stride, int8_t* to, size_t apart) {
    const __m512i columns = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    const auto read = [&](int row) {
        return _mm512_permutexvar_epi32(columns, _mm512_loadu_si512(rows + (size_t)row * stride));
    };
    const __m512i a = read(0), b = read(1), c = read(2), d = read(3);
    const __m512i low_ab = _mm512_unpacklo_epi8(a, b), low_cd = _mm512_unpacklo_epi8(c, d);
    const __m512i high_ab = _mm512_unpackhi_epi8(a, b), high_cd = _mm512_unpackhi_epi8(c, d);
    _mm512_storeu_si512(to, _mm512_unpacklo_epi16(low_ab, low_cd));
    _mm512_storeu_si512(to + apart, _mm512_unpackhi_epi16(low_ab, low_cd));
    _mm512_storeu_si512(to + 2 * apart, _mm512_unpacklo_epi16(high_ab, high_cd));
    _mm512_storeu_si512(to + 3 * apart, _mm512_unpackhi_epi16(high_ab, high_cd));
}

// One step of INT8_TILE_K, as that of bfloat16 (token_major.h); with or without the second tile of each factor.
template <bool A_TWO = true, bool B_TWO = true>
void multiply_add(const int8_t* a_one, const int8_t* a_two, const int8_t* b_one, const int8_t* b_two, int stride = 64) {
    compiler_barrier();
    _tile_loadd(4, a_one, stride);
    _tile_loadd(6, b_one, 64);
    _tile_dpbssd(0, 4, 6);
    if (A_TWO) {
        _tile_loadd(5, a_two, stride);
        _tile_dpbssd(2, 5, 6);
    }
    if (B_TWO) {
        _tile_loadd(7, b_two, 64);
        _tile_dpbssd(1, 4, 7);
    }
    if (A_TWO && B_TWO) _tile_dpbssd(3, 5, 7);
}

// The same with an A of unsigned bytes (TDPBUSD).
template <bool A_TWO>
void multiply_add(const uint8_t* a_one, const uint8_t* a_two, const int8_t* b_one, const int8_t* b_two) {
    compiler_barrier();
    _tile_loadd(4, a_one, 64);
    _tile_loadd(6, b_one, 64);
    _tile_dpbusd(0, 4, 6);
    _tile_loadd(7, b_two, 64);
    _tile_dpbusd(1, 4, 7);
    if (!A_TWO) return;
    _tile_loadd(5, a_two, 64);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
}

// Rows of float32 as second factor, quantized to 16 bits with a scale a row and split into halves: of each eight rows
// {in / 4, 16, 4}. In this thread's workspace, until its next.
class SplitInt16 {
    const int in;
    const size_t groups;
    int8_t* const packed = Workspace::of_this_thread().split_rows.reserve(groups * TILE * in);
    float* const scales = Workspace::of_this_thread().split_row_scales.reserve(groups * SPLIT_ROWS + TILE);

    // 64 numbers of a row, times the gains and the scale, as integers: their high halves and their low ones.
    static void split(const float* x, const float* gains, float scale, U32x16& high, U32x16& low) {
        alignas(64) int8_t halves[2][INT8_TILE_K];
        for (int i = 0; i < INT8_TILE_K; i += LANES) {
            const I32x16 whole = round_to_int(gained(x, gains, i) * scale), upper = (whole + 128) >> 8;
            _mm_store_si128((__m128i*)(halves[0] + i), _mm512_cvtepi32_epi8((__m512i)upper));
            _mm_store_si128((__m128i*)(halves[1] + i), _mm512_cvtepi32_epi8((__m512i)(whole - upper * 256)));
        }
        high = (U32x16)_mm512_load_si512(halves[0]);
        low = (U32x16)_mm512_load_si512(halves[1]);
    }

    static F32x16 gained(const float* x, const float* gains, int i) {
        return gains ? load(x + i) * load(gains + i) : load(x + i);
    }

    static float largest_size(const float* x, const float* gains, int in) {
        __m512 most = _mm512_set1_ps(1e-30f);
        for (int i = 0; i < in; i += LANES) most = _mm512_max_ps(most, _mm512_abs_ps((__m512)gained(x, gains, i)));
        return _mm512_reduce_max_ps(most);
    }

public:
    // x {rows, in}, times the gains {in} where there are any; `in` is a multiple of INT8_TILE_K.
    SplitInt16(const float* x, int rows, int in, const float* gains = nullptr)
        : in(in), groups((rows + SPLIT_ROWS - 1) / SPLIT_ROWS) {
        std::fill_n(scales, groups * SPLIT_ROWS + TILE, 0.0f);
        for (int row = 0; row < rows; row++) scales[row] = largest_size(x + (size_t)row * in, gains, in) / SPLIT_MAX;
        for (int row = 0; row < rows; row += SPLIT_ROWS)
            for (int i = 0; i < in; i += INT8_TILE_K) {
                U32x16 halves[TILE] = {};
                for (int r = 0; r < std::min(SPLIT_ROWS, rows - row); r++)
                    split(x + (size_t)(row + r) * in + i, gains ? gains + i : nullptr, 1 / scales[row + r], halves[r],
                          halves[SPLIT_ROWS + r]);
                transpose(halves, packed + (size_t)row / SPLIT_ROWS * TILE * in + (size_t)i * TILE);
            }
    }

    const int8_t* group(int index) const { return packed + (size_t)index * TILE * in; }

    // Of a group's eight rows, and of the next group's.
    F32x16 scales_of(int group) const { return load(scales + group * SPLIT_ROWS); }
};

}  // namespace readonce

#endif
