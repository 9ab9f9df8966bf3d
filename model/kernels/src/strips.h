// Rows times a matrix that lies in strips of 16 of its rows, each with a scale, as `strips.py` lays them: a strip's
// tiles of 16 rows of 64, then its scales. By matrix tiles what it is multiplied with are numbers of 16 bits (see
// `int8_tiles.h`), else float32.

#pragma once

#include "int8_tiles.h"
#include "rows.h"

inline size_t int8_strip_bytes(int in) { return (size_t)TILE * in + TILE * sizeof(float); }

// y (rows, 16), whose rows are `stride` numbers apart, = x (rows, in) times a strip of int8. The next strip is fetched.
template <int ROWS>
void multiply_strip(const int8_t* strip, int in, const float* x, float* y, int stride) {
    constexpr int OUTS = 4;
    const auto* const scales = reinterpret_cast<const float*>(strip + (size_t)TILE * in);
    for (int out = 0; out < TILE; out += OUTS) {
        Lanes sums[OUTS][ROWS] = {};
        for (int i = 0; i < in; i += LANES) {
            const int8_t* const from = strip + (i / INT8_DEPTH * TILE + out) * INT8_DEPTH + i % INT8_DEPTH;
            Lanes given[ROWS];
            for (int row = 0; row < ROWS; row++) given[row] = load(x + (size_t)row * in + i);
            for (int o = 0; o < OUTS; o++) {
                __builtin_prefetch(from + o * INT8_DEPTH + int8_strip_bytes(in));
                const Lanes weights = load(from + o * INT8_DEPTH);
                for (int row = 0; row < ROWS; row++) sums[o][row] += weights * given[row];
            }
        }
        for (int o = 0; o < OUTS; o++)
            for (int row = 0; row < ROWS; row++)
                y[(size_t)row * stride + out + o] = sum(sums[o][row]) * scales[out + o];
    }
}

// y[:, first:last] = x (rows, in) times rows first to last of a matrix in int8; y has `stride` columns.
inline void int8_product(const void* matrix, int in, int first, int last, const float* x, int rows, float* y,
                         int stride) {
    for (int out = first; out < last; out += TILE) {
        const auto* const strip = static_cast<const int8_t*>(matrix) + int8_strip_bytes(in) * (out / TILE);
        in_groups<4>(rows, [&](auto count, int row) {
            multiply_strip<count.value>(strip, in, x + (size_t)row * in, y + (size_t)row * stride + out, stride);
        });
    }
}

#ifdef HAS_TILES

constexpr int BYTES_AHEAD = 8192;  // of a strip, that are fetched before they are needed

// Two strips of int8 as tiles.
class Int8Strips {
    const int8_t *const one, *const two;

public:
    static size_t bytes(int in) { return int8_strip_bytes(in); }

    Int8Strips(const int8_t* one, const int8_t* two) : one(one), two(two) {}

    const int8_t* of_one(int step) const { return one + step * INT8_TILE; }
    const int8_t* of_two(int step) const { return two + step * INT8_TILE; }
    void make(int step) const {
        for (int i = BYTES_AHEAD; i < BYTES_AHEAD + INT8_TILE; i += INT8_DEPTH) {
            _mm_prefetch(of_one(step) + i, _MM_HINT_T1);
            _mm_prefetch(of_two(step) + i, _MM_HINT_T1);
        }
    }
};

// As `int8_product`, by tiles. gains: of the columns of the matrix, where they have any. `Strips` has two strips' tiles
// of a step, once it has made them.
template <typename Strips>
void strip_product(const void* matrix, int in, int first, int last, const float* x, int rows, float* y, int stride,
                   const float* gains = nullptr) {
    const EightRows given(x, rows, in, gains);
    const size_t bytes = Strips::bytes(in);
    const int steps = in / INT8_DEPTH;
    alignas(64) float sums[2][2][TILE][TILE] = {};  // of two groups of eight rows, with each of two strips
    for (int out = first; out < last; out += 2 * TILE) {
        const bool last_one = out + TILE >= last;
        const auto* const one = static_cast<const int8_t*>(matrix) + bytes * (out / TILE);
        const auto* const two = one + (last_one ? 0 : bytes);
        for (int row = 0; row < rows; row += TILE) {
            const bool both = row + EIGHT < rows;
            const int8_t* from = given.group(row / EIGHT);
            const int8_t* next = from + (both ? (size_t)TILE * in : 0);
            Strips strips(one, two);
            clear_sums();
            strips.make(0);
            for (int step = 0; step < steps; step++, from += INT8_TILE, next += INT8_TILE) {
                if (step + 1 < steps) strips.make(step + 1);
                both ? add_products<true, true>(strips.of_one(step), strips.of_two(step), from, next)
                     : add_products<true, false>(strips.of_one(step), strips.of_two(step), from, next);
            }
            both ? store_sums<true>(sums[0][0][0], sums[1][0][0]) : store_sums<false>(sums[0][0][0], sums[1][0][0]);
            for (int strip = 0; strip < 2 - last_one; strip++) {
                const auto* const scales = reinterpret_cast<const float*>((strip ? two : one) + bytes) - TILE;
                alignas(64) float made[TILE][TILE];
                for (int o = 0; o < TILE; o++)
                    store(made[o], whole_of(sums[0][strip][o], sums[1][strip][o]) * given.scales_of(row / EIGHT));
                for (int r = 0; r < std::min(TILE, rows - row); r++) {
                    const Lanes of_row = (Lanes)_mm512_i32gather_ps(lanes_apart(TILE), made[0] + r, sizeof(float));
                    store(y + (size_t)(row + r) * stride + out + strip * TILE, of_row * load(scales));
                }
            }
        }
    }
}

#endif
