// Matrix tiles (AMX) and products of bfloat16 by them. `docs/kernels.md` draws the layouts.
//
// A tile register holds 16 rows of 64 bytes. One instruction, TDPBF16PS, adds to a tile C of float32 the product of a
// tile A and a tile B of bfloat16:
//
//     C {16, 16} += A {16, 32} x B {32, 16}        {M, N} += {M, K} x {K, N}
//
// so up to 16 columns of B cost what reading A costs. B is not stored {K, N}: each row of its tile has two numbers of
// each column that follow each other in K, {K, N} to {K / 2, N, 2}. Intel calls this VNNI packing; "vnni2" here.

#pragma once

#include "workspace.h"

namespace readonce {

constexpr int TILE = 16;    // rows (M) and columns (N) of a tile
constexpr int TILE_K = 32;  // bfloat16 numbers of a tile's row

inline int round_up_tile(int count) { return (count + TILE - 1) / TILE * TILE; }
inline int round_up_k(int count) { return (count + TILE_K - 1) / TILE_K * TILE_K; }

}  // namespace readonce

#if defined(__AMX_BF16__) && defined(__AMX_INT8__) && defined(__AVX512BF16__) && defined(__linux__)
#define READONCE_AMX

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace readonce {

// Whether this process may use tiles. Linux saves a thread's tiles only for a process that has asked for them.
inline bool has_amx() {
    constexpr int ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18;
    static const bool granted = syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
    return granted;
}

// GCC does not know which memory tile instructions read and write: it moves no load and no store across this.
inline void compiler_barrier() { asm volatile("" ::: "memory"); }

// While it lives, all eight tiles of this thread are 16 rows of 64 bytes; afterwards they are configured as before,
// because another library of this process may use them.
class TileConfigScope {
    struct alignas(64) Config {
        uint8_t palette = 0, start_row = 0, reserved[14] = {};
        uint16_t row_bytes[16] = {};
        uint8_t rows[16] = {};
    } before;

public:
    TileConfigScope() {
        if (!has_amx()) return;
        compiler_barrier();
        _tile_storeconfig(&before);
        compiler_barrier();
        Config config;
        config.palette = 1;
        for (int tile = 0; tile < 8; tile++) config.row_bytes[tile] = 64, config.rows[tile] = TILE;
        compiler_barrier();
        _tile_loadconfig(&config);
    }
    ~TileConfigScope() {
        if (!has_amx()) return;
        if (before.palette)
            _tile_loadconfig(&before);
        else
            _tile_release();
    }
    TileConfigScope(const TileConfigScope&) = delete;
};

// {16, 16} of four bytes each to its transpose, which is written to a tile.
inline void transpose(const U32x16 (&rows)[TILE], void* tile) {
    __m512i twos[TILE], fours[TILE];
    for (int i = 0; i < TILE; i += 2) {
        twos[i] = _mm512_unpacklo_epi32((__m512i)rows[i], (__m512i)rows[i + 1]);
        twos[i + 1] = _mm512_unpackhi_epi32((__m512i)rows[i], (__m512i)rows[i + 1]);
    }
    for (int i = 0; i < TILE; i += 4)  // fours[i + n]: of rows i to i + 3, columns n, 4 + n, 8 + n and 12 + n
        for (int half = 0; half < 2; half++) {
            fours[i + 2 * half] = _mm512_unpacklo_epi64(twos[i + half], twos[i + half + 2]);
            fours[i + 2 * half + 1] = _mm512_unpackhi_epi64(twos[i + half], twos[i + half + 2]);
        }
    const auto evens = [](__m512i a, __m512i b) { return _mm512_shuffle_i32x4(a, b, 0x88); };
    const auto odds = [](__m512i a, __m512i b) { return _mm512_shuffle_i32x4(a, b, 0xdd); };
    const auto write = [&](int row, __m512i bytes) { _mm512_storeu_si512(static_cast<char*>(tile) + row * 64, bytes); };
    for (int n = 0; n < 4; n++) {
        const __m512i even = evens(fours[n], fours[4 + n]), odd = odds(fours[n], fours[4 + n]);
        const __m512i next_even = evens(fours[8 + n], fours[12 + n]), next_odd = odds(fours[8 + n], fours[12 + n]);
        write(n, evens(even, next_even));
        write(4 + n, evens(odd, next_odd));
        write(8 + n, odds(even, next_even));
        write(12 + n, odds(odd, next_odd));
    }
}

// {rows, k} float32 to bfloat16 as second factor, {rows / 16, k / 2, 16, 2}: each row becomes a column of a tile.
//
// `k` is a multiple of TILE_K; missing rows of the last group are zero. The result is this thread's, until its next.
inline const uint32_t* pack_rows_vnni2(const float* x, int rows, int k) {
    auto* const to = Workspace::of_this_thread().packed_rows.reserve((size_t)round_up_tile(rows) / 2 * k);
    for (int row = 0; row < rows; row += TILE)
        for (int i = 0; i < k; i += TILE_K) {
            U32x16 pairs[TILE] = {};
            for (int r = 0; r < std::min(TILE, rows - row); r++) {
                const float* const from = x + (size_t)(row + r) * k + i;
                pairs[r] = (U32x16)_mm512_cvtne2ps_pbh((__m512)load(from + LANES), (__m512)load(from));
            }
            transpose(pairs, to + ((size_t)row * k + (size_t)i * TILE) / 2);
        }
    return to;
}

// {terms, 32 of `stride` columns} to {2, terms / 2, 16, 2}: the first 16 columns, and `apart` numbers on the others.
// Terms are padded with zeros to a multiple of TILE_K.
inline void pack_vnni2(const bfloat16* matrix, int terms, int stride, bfloat16* to, size_t apart) {
    const __m512i halves = _mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0);
    const int padded = round_up_k(terms);
    const auto read = [&](int term) {
        if (term >= terms) return _mm512_setzero_si512();
        return _mm512_permutexvar_epi64(halves, _mm512_loadu_si512(matrix + (size_t)term * stride));
    };
    for (int term = 0; term < padded; term += 2) {
        const __m512i even = read(term), odd = read(term + 1);
        _mm512_storeu_si512(to + (size_t)term * TILE, _mm512_unpacklo_epi16(even, odd));
        _mm512_storeu_si512(to + apart + (size_t)term * TILE, _mm512_unpackhi_epi16(even, odd));
    }
}

// y {rows, stride}[:, first:last] = packed rows times rows first to last of the matrix {out, in}: a multiple of TILE.
inline void tile_linear(const bfloat16* matrix, int in, int first, int last, const uint32_t* packed, int rows, float* y,
                        int stride) {
    alignas(64) float sums[2][TILE][TILE];
    for (int row = 0; row < rows; row += TILE, packed += (size_t)in / 2 * TILE) {
        const int count = std::min(TILE, rows - row);
        for (int out = first; out < last; out += 2 * TILE) {
            const bool both = out + TILE < last;
            const bfloat16 *one = matrix + (size_t)out * in, *two = one + (both ? (size_t)TILE * in : 0);
            compiler_barrier();
            _tile_zero(0);
            _tile_zero(1);
            for (int i = 0; i < in; i += TILE_K) {
                if (!row)  // what the next two tiles need
                    for (int next = 2 * TILE; next < 4 * TILE; next++) __builtin_prefetch(one + (size_t)next * in + i);
                _tile_loadd(4, packed + (size_t)i / 2 * TILE, 64);
                _tile_loadd(2, one + i, 2 * in);
                _tile_loadd(3, two + i, 2 * in);
                _tile_dpbf16ps(0, 2, 4);
                _tile_dpbf16ps(1, 3, 4);
            }
            _tile_stored(0, sums[0], 64);
            _tile_stored(1, sums[1], 64);
            for (int part = 0; part <= both; part++)
                for (int r = 0; r < count; r++) {
                    float* const to = y + (size_t)(row + r) * stride + out + part * TILE;
                    for (int o = 0; o < TILE; o++) to[o] = sums[part][o][r];
                }
        }
    }
}

// y {rows, in}[:, first:last] += weights {rows, terms of `stride`} times the matrix {terms, in}.
//
// y has room for a multiple of TILE rows; first and last are multiples of TILE_K; weights are zero from the last term
// to the end of its 16.
inline void tile_add_weighted_sum(const float* weights, int stride, int rows, const bfloat16* matrix, int terms, int in,
                                  int first, int last, float* y) {
    const int padded_terms = round_up_k(terms), padded_rows = round_up_tile(rows);
    Workspace& workspace = Workspace::of_this_thread();
    auto* const packed = workspace.packed_terms.reserve(2 * (size_t)padded_terms * TILE);
    auto* const narrow = workspace.summed_by_weights.reserve((size_t)padded_rows * padded_terms);
    std::fill_n(narrow, (size_t)padded_rows * padded_terms, 0);
    for (int row = 0; row < rows; row++)
        for (int term = 0; term < terms; term += LANES)
            store(narrow + (size_t)row * padded_terms + term, load(weights + (size_t)row * stride + term));
    for (int i = first; i < last; i += TILE_K) {
        pack_vnni2(matrix + i, terms, in, packed, (size_t)padded_terms * TILE);
        compiler_barrier();
        for (int row = 0; row < padded_rows; row += TILE) {
            float* const to = y + (size_t)row * in + i;
            _tile_loadd(0, to, 4 * in);
            _tile_loadd(1, to + TILE, 4 * in);
            for (int term = 0; term < padded_terms; term += TILE_K) {
                _tile_loadd(2, narrow + (size_t)row * padded_terms + term, 2 * padded_terms);
                _tile_loadd(3, packed + (size_t)term * TILE, 64);
                _tile_loadd(4, packed + (size_t)(padded_terms + term) * TILE, 64);
                _tile_dpbf16ps(0, 2, 3);
                _tile_dpbf16ps(1, 2, 4);
            }
            _tile_stored(0, to, 4 * in);
            _tile_stored(1, to + TILE, 4 * in);
        }
    }
}

}  // namespace readonce

#else

namespace readonce {

inline bool has_amx() { return false; }
struct TileConfigScope {
    TileConfigScope() {}
};
inline const uint32_t* pack_rows_vnni2(const float*, int, int) { return nullptr; }
inline void tile_linear(const bfloat16*, int, int, int, const uint32_t*, int, float*, int) {}
inline void tile_add_weighted_sum(const float*, int, int, const bfloat16*, int, int, int, int, float*) {}

}  // namespace readonce

#endif
