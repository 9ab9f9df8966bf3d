// Products with a matrix in int8 that is stored as weight panels, as `weight_panels.py` packs them. A panel has 16 rows
// of the matrix {16, in} as tiles, and then a scale a row:
//
//     {16, in} to {in / 64, 16, 64} int8, {16} float32
//
// By tiles, the other factor is split into two int8 halves (int8_tiles.h); without tiles it is float32.

#pragma once

#include "int8_tiles.h"
#include "row_major.h"

namespace readonce {

inline size_t int8_panel_bytes(int in) { return (size_t)TILE * in + TILE * sizeof(float); }

// y {ROWS, 16 of `stride`} = x {ROWS, in} times a panel. The next panel is prefetched.
template <int ROWS>
void simd_panel_linear_block(const int8_t* panel, int in, const float* x, float* y, int stride) {
    constexpr int OUTS = 4;
    const auto* const scales = reinterpret_cast<const float*>(panel + (size_t)TILE * in);
    for (int out = 0; out < TILE; out += OUTS) {
        F32x16 sums[OUTS][ROWS] = {};
        for (int i = 0; i < in; i += LANES) {
            const int8_t* const from = panel + (i / INT8_TILE_K * TILE + out) * INT8_TILE_K + i % INT8_TILE_K;
            F32x16 values[ROWS];
            for (int row = 0; row < ROWS; row++) values[row] = load(x + (size_t)row * in + i);
            for (int o = 0; o < OUTS; o++) {
                __builtin_prefetch(from + o * INT8_TILE_K + int8_panel_bytes(in));
                const F32x16 weights = load(from + o * INT8_TILE_K);
                for (int row = 0; row < ROWS; row++) sums[o][row] += weights * values[row];
            }
        }
        for (int o = 0; o < OUTS; o++)
            for (int row = 0; row < ROWS; row++)
                y[(size_t)row * stride + out + o] = reduce_add(sums[o][row]) * scales[out + o];
    }
}

// y {rows, stride}[:, first:last] = x {rows, in} times rows first to last of the matrix, without tiles.
inline void simd_panel_linear(const void* matrix, int in, int first, int last, const float* x, int rows, float* y,
                              int stride) {
    for (int out = first; out < last; out += TILE) {
        const auto* const panel = static_cast<const int8_t*>(matrix) + int8_panel_bytes(in) * (out / TILE);
        for_row_blocks<4>(rows, [&](auto count, int row) {
            simd_panel_linear_block<count.value>(panel, in, x + (size_t)row * in, y + (size_t)row * stride + out,
                                                 stride);
        });
    }
}

#ifdef READONCE_AMX

constexpr int PREFETCH_BYTES = 8192;  // of a panel, that are fetched before they are needed

// Two panels of int8 as first factor, tile by tile.
class Int8Panels {
    const int8_t *const one, *const two;

public:
    static size_t bytes(int in) { return int8_panel_bytes(in); }

    Int8Panels(const int8_t* one, const int8_t* two) : one(one), two(two) {}

    const int8_t* tile_of_one(int step) const { return one + step * INT8_TILE; }
    const int8_t* tile_of_two(int step) const { return two + step * INT8_TILE; }
    void prepare(int step) const {
        for (int i = PREFETCH_BYTES; i < PREFETCH_BYTES + INT8_TILE; i += INT8_TILE_K) {
            _mm_prefetch(tile_of_one(step) + i, _MM_HINT_T1);
            _mm_prefetch(tile_of_two(step) + i, _MM_HINT_T1);
        }
    }
};

// As `simd_panel_linear`, by tiles. gains {in}: x is multiplied by them, where there are any. `Panels` gives two
// panels' tiles of a step, once that step is prepared.
template <typename Panels>
void tile_panel_linear(const void* matrix, int in, int first, int last, const float* x, int rows, float* y, int stride,
                       const float* gains = nullptr) {
    const SplitInt16 split(x, rows, in, gains);
    const size_t bytes = Panels::bytes(in);
    const int steps = in / INT8_TILE_K;
    alignas(64) float sums[2][2][TILE][TILE] = {};  // of two groups of eight rows, with each of two panels
    for (int out = first; out < last; out += 2 * TILE) {
        const bool last_one = out + TILE >= last;
        const auto* const one = static_cast<const int8_t*>(matrix) + bytes * (out / TILE);
        const auto* const two = one + (last_one ? 0 : bytes);
        for (int row = 0; row < rows; row += TILE) {
            const bool both = row + SPLIT_ROWS < rows;
            const int8_t* from = split.group(row / SPLIT_ROWS);
            const int8_t* next = from + (both ? (size_t)TILE * in : 0);
            Panels panels(one, two);
            zero_accumulators();
            panels.prepare(0);
            for (int step = 0; step < steps; step++, from += INT8_TILE, next += INT8_TILE) {
                if (step + 1 < steps) panels.prepare(step + 1);
                both ? multiply_add<true, true>(panels.tile_of_one(step), panels.tile_of_two(step), from, next)
                     : multiply_add<true, false>(panels.tile_of_one(step), panels.tile_of_two(step), from, next);
            }
            both ? store_accumulators<true>(sums[0][0][0], sums[1][0][0])
                 : store_accumulators<false>(sums[0][0][0], sums[1][0][0]);
            for (int panel = 0; panel < 2 - last_one; panel++) {
                const auto* const scales = reinterpret_cast<const float*>((panel ? two : one) + bytes) - TILE;
                alignas(64) float scaled[TILE][TILE];  // {out, row}
                for (int o = 0; o < TILE; o++)
                    store(scaled[o],
                          join_halves(sums[0][panel][o], sums[1][panel][o]) * split.scales_of(row / SPLIT_ROWS));
                for (int r = 0; r < std::min(TILE, rows - row); r++) {
                    const F32x16 of_row = (F32x16)_mm512_i32gather_ps(lane_offsets(TILE), scaled[0] + r, sizeof(float));
                    store(y + (size_t)(row + r) * stride + out + panel * TILE, of_row * load(scales));
                }
            }
        }
    }
}

#endif

}  // namespace readonce
