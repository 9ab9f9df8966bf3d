// Operations on row-major matrices of float32: products with a matrix, weighted sums of a matrix's rows, norms, RoPE.
// Sizes of rows are multiples of LANES.

#pragma once

#include <omp.h>

#include <type_traits>

#include "tiles.h"

namespace readonce {

constexpr int PREFETCH_AHEAD = 1024;  // numbers of a matrix that are fetched before they are needed
constexpr int MIN_TILE_ROWS = 4;      // fewer are multiplied without tiles as fast as the matrix is read

// What the calling thread of a team works on: [first, last) of a total, a multiple of `unit` but for the last.
struct ThreadRange {
    int first, last;

    ThreadRange(int total, int unit) {
        const int64_t units = (total + unit - 1) / unit, threads = omp_get_num_threads(), thread = omp_get_thread_num();
        first = std::min<int64_t>(total, units * thread / threads * unit);
        last = std::min<int64_t>(total, units * (thread + 1) / threads * unit);
    }
};

// Calls `work(count, row)` for blocks of 8, 6, 4, 2 and 1 rows, so that each block's sums stay in registers. `count` is
// an integral constant.
template <int MOST, typename Work>
void for_row_blocks(int rows, const Work& work) {
    int row = 0;
    const auto blocks_of = [&](auto count) {
        if constexpr (count.value <= MOST)
            for (; row + count.value <= rows; row += count.value) work(count, row);
    };
    blocks_of(std::integral_constant<int, 8>());
    blocks_of(std::integral_constant<int, 6>());
    blocks_of(std::integral_constant<int, 4>());
    blocks_of(std::integral_constant<int, 2>());
    blocks_of(std::integral_constant<int, 1>());
}

template <int ROWS, int OUTS, typename T>
void simd_linear_block(const T* matrix, int in, int first, int last, const float* x, float* y, int stride) {
    for (int out = first; out < last; out += OUTS) {
        F32x16 sums[OUTS][ROWS] = {};
        for (int i = 0; i < in; i += LANES) {
            F32x16 values[ROWS];
            for (int row = 0; row < ROWS; row++) values[row] = load(x + (size_t)row * in + i);
            for (int o = 0; o < OUTS; o++) {
                const T* from = matrix + (size_t)(out + o) * in + i;
                __builtin_prefetch(from + PREFETCH_AHEAD);
                const F32x16 weights = load(from);
                for (int row = 0; row < ROWS; row++) sums[o][row] += weights * values[row];
            }
        }
        for (int o = 0; o < OUTS; o++)
            for (int row = 0; row < ROWS; row++) y[(size_t)row * stride + out + o] = reduce_add(sums[o][row]);
    }
}

// y {rows, stride}[:, first:last] = x {rows, in} times rows first to last of the matrix {out, in}, without tiles.
template <typename T>
void simd_linear(const T* matrix, int in, int first, int last, const float* x, int rows, float* y, int stride) {
    const int even = first + (last - first) / 2 * 2;
    for_row_blocks<8>(rows, [&](auto count, int row) {
        const float* from = x + (size_t)row * in;
        float* to = y + (size_t)row * stride;
        simd_linear_block<count.value, 2>(matrix, in, first, even, from, to, stride);
        simd_linear_block<count.value, 1>(matrix, in, even, last, from, to, stride);
    });
}

inline bool uses_tiles(int rows, int columns) { return has_amx() && rows >= MIN_TILE_ROWS && columns % TILE_K == 0; }

// The same, by tiles where rows and sizes are worth it.
template <typename T>
void linear(const T* matrix, int in, int first, int last, const float* x, int rows, float* y, int stride) {
    if constexpr (std::is_same_v<T, bfloat16>)
        if (uses_tiles(rows, in) && (last - first) % TILE == 0)
            return tile_linear(matrix, in, first, last, pack_rows_vnni2(x, rows, in), rows, y, stride);
    simd_linear(matrix, in, first, last, x, rows, y, stride);
}

template <int ROWS, int TERMS, typename T>
void simd_add_weighted_block(const float* weights, int stride, const T* matrix, int in, int first, int last, float* y) {
    F32x16 factors[ROWS][TERMS];
    for (int row = 0; row < ROWS; row++)
        for (int term = 0; term < TERMS; term++) factors[row][term] = broadcast(weights[(size_t)row * stride + term]);
    for (int i = first; i < last; i += LANES) {
        F32x16 terms[TERMS];
        for (int term = 0; term < TERMS; term++) terms[term] = load(matrix + (size_t)term * in + i);
        for (int row = 0; row < ROWS; row++) {
            F32x16 sum = load(y + (size_t)row * in + i);
            for (int term = 0; term < TERMS; term++) sum += terms[term] * factors[row][term];
            store(y + (size_t)row * in + i, sum);
        }
    }
}

// y {rows, in}[:, first:last] += weights {rows, terms of `stride`} times the matrix {terms, in}, without tiles.
template <typename T>
void simd_add_weighted_sum(const float* weights, int stride, int rows, const T* matrix, int terms, int in, int first,
                           int last, float* y) {
    for_row_blocks<4>(rows, [&](auto count, int row) {
        const float* from = weights + (size_t)row * stride;
        float* to = y + (size_t)row * in;
        const int fours = terms / 4 * 4;
        for (int term = 0; term < fours; term += 4)
            simd_add_weighted_block<count.value, 4>(from + term, stride, matrix + (size_t)term * in, in, first, last,
                                                    to);
        for (int term = fours; term < terms; term++)
            simd_add_weighted_block<count.value, 1>(from + term, stride, matrix + (size_t)term * in, in, first, last,
                                                    to);
    });
}

// The same, by tiles where rows and sizes are worth it. Then y and the weights are padded as `tile_add_weighted_sum`
// says.
template <typename T>
void add_weighted_sum(const float* weights, int stride, int rows, const T* matrix, int terms, int in, int first,
                      int last, float* y) {
    if constexpr (std::is_same_v<T, bfloat16>)
        if (uses_tiles(rows, first) && last % TILE_K == 0)
            return tile_add_weighted_sum(weights, stride, rows, matrix, terms, in, first, last, y);
    simd_add_weighted_sum(weights, stride, rows, matrix, terms, in, first, last, y);
}

inline void scale(float* x, float factor, int size) {
    for (int i = 0; i < size; i += LANES) store(x + i, load(x + i) * factor);
}

// RMSNorm: x / sqrt(mean(x^2) + eps) times the gain. `write(at, values)` gets LANES of it at a time.
template <typename T, typename Write>
void rms_norm(const T* x, const float* gain, int size, float eps, const Write& write) {
    F32x16 squares = {};
    for (int i = 0; i < size; i += LANES) squares += load(x + i) * load(x + i);
    const float factor = 1 / std::sqrt(reduce_add(squares) / size + eps);
    for (int i = 0; i < size; i += LANES) write(i, load(x + i) * factor * load(gain + i));
}

inline void rms_norm(const float* x, const float* gain, int size, float eps, float* y) {
    rms_norm(x, gain, size, eps, [&](int at, F32x16 value) { store(y + at, value); });
}

// y {rows, size} = RMSNorm of each row of x; or y += it.
template <typename T>
void rms_norm_rows(const T* x, const float* gain, int rows, int size, float eps, T* y, bool add) {
    for (; rows--; x += size, y += size)
        rms_norm(x, gain, size, eps, [&](int at, F32x16 value) { store(y + at, add ? load(y + at) + value : value); });
}

// y = RoPE of one head {dim}, by cos and sin {dim}. y is not x.
inline void apply_rope(const float* x, const float* cos, const float* sin, int dim, float* y) {
    const int half = dim / 2;
    for (int i = 0; i < half; i++) y[i] = x[i] * cos[i] - x[i + half] * sin[i];
    for (int i = half; i < dim; i++) y[i] = x[i] * cos[i] + x[i - half] * sin[i];
}

}  // namespace readonce
