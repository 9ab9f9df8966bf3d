// Products of bfloat16 by AMX: tiles of 16 rows of 64 bytes. One instruction multiplies 16 rows of a matrix, 32 numbers
// of each, with as many of up to 16 rows of numbers, so up to 16 rows cost what reading the matrix costs.
//
// A tile of the second factor has its numbers in pairs, as the instruction wants them: those of a column that follow
// each other lie side by side.

#pragma once

#include "lanes.h"

constexpr int TILE = 16;   // rows of a tile, and numbers of a row of sums
constexpr int DEPTH = 32;  // bfloat16 numbers of a row

inline int whole_tiles(int rows) { return (rows + TILE - 1) / TILE * TILE; }
inline int whole_depths(int numbers) { return (numbers + DEPTH - 1) / DEPTH * DEPTH; }

#if defined(__AMX_BF16__) && defined(__AMX_INT8__) && defined(__AVX512BF16__) && defined(__linux__)
#define HAS_TILES

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <vector>

inline bool has_tiles() {  // Linux keeps a thread's tiles only for a process that has asked
    constexpr int REQUEST = 0x1023, TILE_DATA = 18;
    static const bool granted = syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
    return granted;
}

// GCC does not know what tile instructions read and write: what stands before this is done before what stands behind.
inline void in_order() { asm volatile("" ::: "memory"); }

// While it lives, this thread's eight tiles are whole ones; then they are what another library had made of them.
class Tiles {
    struct alignas(64) Config {
        uint8_t palette = 0, start_row = 0, reserved[14] = {};
        uint16_t row_bytes[16] = {};
        uint8_t rows[16] = {};
    } before;

public:
    Tiles() {
        if (!has_tiles()) return;
        in_order();
        _tile_storeconfig(&before);
        in_order();
        Config config;
        config.palette = 1;
        for (int tile = 0; tile < 8; tile++) config.row_bytes[tile] = 64, config.rows[tile] = TILE;
        in_order();
        _tile_loadconfig(&config);
    }
    ~Tiles() {
        if (!has_tiles()) return;
        if (before.palette) _tile_loadconfig(&before);
        else _tile_release();
    }
    Tiles(const Tiles&) = delete;
};

// At least so many numbers of this thread, of undefined value, where a cache line begins (tiles are loaded half as fast
// where their rows lie across two); each user has a number of its own.
template <typename Number, int USER>
Number* scratch(size_t count) {
    constexpr size_t LINE = 64;
    thread_local std::vector<Number> kept;
    const size_t size = count + LINE / sizeof(Number);
    if (kept.size() < size) kept.resize(size);
    return reinterpret_cast<Number*>((reinterpret_cast<uintptr_t>(kept.data()) + LINE - 1) / LINE * LINE);
}

// Sixteen rows of sixteen times four bytes become the columns of a tile.
inline void transpose(const Words (&rows)[TILE], void* tile) {
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

// Rows of numbers (rows, in) as second factor: (groups of 16 rows, in / 2, 16, 2). This thread's, until its next ones;
// `in` is whole depths.
inline const uint32_t* paired_rows(const float* x, int rows, int in) {
    auto* const to = scratch<uint32_t, 0>((size_t)whole_tiles(rows) / 2 * in);
    for (int row = 0; row < rows; row += TILE)
        for (int i = 0; i < in; i += DEPTH) {
            Words some[TILE] = {};
            for (int r = 0; r < std::min(TILE, rows - row); r++) {
                const float* const from = x + (size_t)(row + r) * in + i;
                some[r] = (Words)_mm512_cvtne2ps_pbh((__m512)load(from + LANES), (__m512)load(from));
            }
            transpose(some, to + ((size_t)row * in + (size_t)i * TILE) / 2);
        }
    return to;
}

// y (rows, stride)[:, first:last] = paired rows times rows first to last of the matrix, whole tiles of them.
inline void tile_product(const bfloat16* matrix, int in, int first, int last, const uint32_t* paired, int rows,
                         float* y, int stride) {
    alignas(64) float sums[2][TILE][TILE];
    for (int row = 0; row < rows; row += TILE, paired += (size_t)in / 2 * TILE) {
        const int some = std::min(TILE, rows - row);
        for (int out = first; out < last; out += 2 * TILE) {
            const bool both = out + TILE < last;
            const bfloat16 *one = matrix + (size_t)out * in, *two = one + (both ? (size_t)TILE * in : 0);
            in_order();
            _tile_zero(0);
            _tile_zero(1);
            for (int i = 0; i < in; i += DEPTH) {
                if (!row)  // what the next two tiles need
                    for (int next = 2 * TILE; next < 4 * TILE; next++) __builtin_prefetch(one + (size_t)next * in + i);
                _tile_loadd(4, paired + (size_t)i / 2 * TILE, 64);
                _tile_loadd(2, one + i, 2 * in);
                _tile_loadd(3, two + i, 2 * in);
                _tile_dpbf16ps(0, 2, 4);
                _tile_dpbf16ps(1, 3, 4);
            }
            _tile_stored(0, sums[0], 64);
            _tile_stored(1, sums[1], 64);
            for (int part = 0; part <= both; part++)
                for (int r = 0; r < some; r++) {
                    float* const made = y + (size_t)(row + r) * stride + out + part * TILE;
                    for (int o = 0; o < TILE; o++) made[o] = sums[part][o][r];
                }
        }
    }
}

// 32 columns of a matrix (terms, in) in pairs of terms, (pairs, 16, 2): the first 16 columns, and `apart` from them the
// others.
inline void interleave(const bfloat16* matrix, int terms, int in, bfloat16* to, size_t apart) {
    const __m512i halves = _mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0);
    const int deep = whole_depths(terms);
    const auto read = [&](int term) {
        if (term >= terms) return _mm512_setzero_si512();
        return _mm512_permutexvar_epi64(halves, _mm512_loadu_si512(matrix + (size_t)term * in));
    };
    for (int term = 0; term < deep; term += 2) {
        const __m512i one = read(term), two = read(term + 1);
        _mm512_storeu_si512(to + (size_t)term * TILE, _mm512_unpacklo_epi16(one, two));
        _mm512_storeu_si512(to + apart + (size_t)term * TILE, _mm512_unpackhi_epi16(one, two));
    }
}

// y (rows, in)[:, first:last] += weights (rows, terms of `given` numbers) times the matrix (terms, in). y has room for
// whole tiles of rows; columns are whole depths; weights are zero from the last term to the end of its tile.
inline void tile_add_weighted(const float* weights, int given, int rows, const bfloat16* matrix, int terms, int in,
                              int first, int last, float* y) {
    const int deep = whole_depths(terms), tall = whole_tiles(rows);
    auto* const paired = scratch<bfloat16, 1>(2 * (size_t)deep * TILE);
    auto* const narrow = scratch<bfloat16, 2>((size_t)tall * deep);
    std::fill_n(narrow, (size_t)tall * deep, 0);
    for (int row = 0; row < rows; row++)
        for (int term = 0; term < terms; term += LANES)
            store(narrow + (size_t)row * deep + term, load(weights + (size_t)row * given + term));
    for (int i = first; i < last; i += DEPTH) {
        interleave(matrix + i, terms, in, paired, (size_t)deep * TILE);
        in_order();
        for (int row = 0; row < tall; row += TILE) {
            float* const to = y + (size_t)row * in + i;
            _tile_loadd(0, to, 4 * in);
            _tile_loadd(1, to + TILE, 4 * in);
            for (int term = 0; term < deep; term += DEPTH) {
                _tile_loadd(2, narrow + (size_t)row * deep + term, 2 * deep);
                _tile_loadd(3, paired + (size_t)term * TILE, 64);
                _tile_loadd(4, paired + (size_t)(deep + term) * TILE, 64);
                _tile_dpbf16ps(0, 2, 3);
                _tile_dpbf16ps(1, 2, 4);
            }
            _tile_stored(0, to, 4 * in);
            _tile_stored(1, to + TILE, 4 * in);
        }
    }
}

#else

inline bool has_tiles() { return false; }
struct Tiles {
    Tiles() {}
};
inline const uint32_t* paired_rows(const float*, int, int) { return nullptr; }
inline void tile_product(const bfloat16*, int, int, int, const uint32_t*, int, float*, int) {}
inline void tile_add_weighted(const float*, int, int, const bfloat16*, int, int, int, int, float*) {}

#endif
