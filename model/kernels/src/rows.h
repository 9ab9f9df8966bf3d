// Rows of numbers: products with a matrix, weighted sums of a matrix's rows, norms. Sizes are multiples of LANES.

#pragma once

#include <omp.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <type_traits>

#include "tiles.h"

constexpr int AHEAD = 1024;  // numbers of a matrix that are fetched before they are needed

struct Free {
    void operator()(float* numbers) const { std::free(numbers); }
};
using Floats = std::unique_ptr<float[], Free>;

inline Floats floats(size_t count) {  // of undefined value, where a cache line begins: tiles load faster from there
    const size_t lines = (count + 15) / 16;
    return Floats(static_cast<float*>(std::aligned_alloc(64, 64 * std::max<size_t>(lines, 1))));
}

// What the calling thread takes of a total, in whole units.
struct Share {
    int first, last;

    Share(int total, int unit) {
        const int64_t units = (total + unit - 1) / unit, threads = omp_get_num_threads(), thread = omp_get_thread_num();
        first = std::min<int64_t>(total, units * thread / threads * unit);
        last = std::min<int64_t>(total, units * (thread + 1) / threads * unit);
    }
};

// Calls `some(count)` for groups of 8, 6, 4, 2 and 1 rows, so that each group's sums stay in registers.
template <int MOST, typename Some>
void in_groups(int rows, const Some& some) {
    int row = 0;
    const auto groups_of = [&](auto count) {
        if constexpr (count.value <= MOST)
            for (; row + count.value <= rows; row += count.value) some(count, row);
    };
    groups_of(std::integral_constant<int, 8>());
    groups_of(std::integral_constant<int, 6>());
    groups_of(std::integral_constant<int, 4>());
    groups_of(std::integral_constant<int, 2>());
    groups_of(std::integral_constant<int, 1>());
}

template <int ROWS, int OUTS, typename T>
void multiply(const T* matrix, int in, int first, int last, const float* x, float* y, int stride) {
    for (int out = first; out < last; out += OUTS) {
        Lanes sums[OUTS][ROWS] = {};
        for (int i = 0; i < in; i += LANES) {
            Lanes given[ROWS];
            for (int row = 0; row < ROWS; row++) given[row] = load(x + (size_t)row * in + i);
            for (int o = 0; o < OUTS; o++) {
                const T* from = matrix + (size_t)(out + o) * in + i;
                __builtin_prefetch(from + AHEAD);
                const Lanes weights = load(from);
                for (int row = 0; row < ROWS; row++) sums[o][row] += weights * given[row];
            }
        }
        for (int o = 0; o < OUTS; o++)
            for (int row = 0; row < ROWS; row++) y[(size_t)row * stride + out + o] = sum(sums[o][row]);
    }
}

inline bool suits_tiles(int rows, int columns) {  // fewer rows are multiplied as fast as the matrix is read without
    return has_tiles() && rows >= 4 && columns % DEPTH == 0;
}

// y[:, first:last] = x (rows, in) times rows first to last of the matrix, without tiles; y has `stride` columns.
template <typename T>
void lane_product(const T* matrix, int in, int first, int last, const float* x, int rows, float* y, int stride) {
    const int even = first + (last - first) / 2 * 2;
    in_groups<8>(rows, [&](auto count, int row) {
        const float* given = x + (size_t)row * in;
        float* made = y + (size_t)row * stride;
        multiply<count.value, 2>(matrix, in, first, even, given, made, stride);
        multiply<count.value, 1>(matrix, in, even, last, given, made, stride);
    });
}

// The same, by tiles where they suit.
template <typename T>
void product(const T* matrix, int in, int first, int last, const float* x, int rows, float* y, int stride) {
    if constexpr (std::is_same_v<T, bfloat16>)
        if (suits_tiles(rows, in) && (last - first) % TILE == 0)
            return tile_product(matrix, in, first, last, paired_rows(x, rows, in), rows, y, stride);
    lane_product(matrix, in, first, last, x, rows, y, stride);
}

template <int ROWS, int TERMS, typename T>
void add_terms(const float* given, int stride, const T* matrix, int in, int first, int last, float* y) {
    Lanes weights[ROWS][TERMS];
    for (int row = 0; row < ROWS; row++)
        for (int term = 0; term < TERMS; term++) weights[row][term] = all(given[(size_t)row * stride + term]);
    for (int i = first; i < last; i += LANES) {
        Lanes read[TERMS];
        for (int term = 0; term < TERMS; term++) read[term] = load(matrix + (size_t)term * in + i);
        for (int row = 0; row < ROWS; row++) {
            Lanes value = load(y + (size_t)row * in + i);
            for (int term = 0; term < TERMS; term++) value += read[term] * weights[row][term];
            store(y + (size_t)row * in + i, value);
        }
    }
}

// y (rows, in)[:, first:last] += weights (rows, terms of `stride`) times the matrix (terms, in), without tiles.
template <typename T>
void lane_add_weighted(const float* weights, int stride, int rows, const T* matrix, int terms, int in, int first,
                       int last, float* y) {
    in_groups<4>(rows, [&](auto count, int row) {
        const float* given = weights + (size_t)row * stride;
        float* to = y + (size_t)row * in;
        const int whole = terms / 4 * 4;
        for (int term = 0; term < whole; term += 4)
            add_terms<count.value, 4>(given + term, stride, matrix + (size_t)term * in, in, first, last, to);
        for (int term = whole; term < terms; term++)
            add_terms<count.value, 1>(given + term, stride, matrix + (size_t)term * in, in, first, last, to);
    });
}

// The same, by tiles where they suit: then y has room for whole tiles of rows, and what stands behind a row's weights
// in its last tile is zero.
template <typename T>
void add_weighted(const float* weights, int stride, int rows, const T* matrix, int terms, int in, int first, int last,
                  float* y) {
    if constexpr (std::is_same_v<T, bfloat16>)
        if (suits_tiles(rows, first) && last % DEPTH == 0)
            return tile_add_weighted(weights, stride, rows, matrix, terms, in, first, last, y);
    lane_add_weighted(weights, stride, rows, matrix, terms, in, first, last, y);
}

inline void scale(float* x, float factor, int size) {
    for (int i = 0; i < size; i += LANES) store(x + i, load(x + i) * factor);
}

// Gives RMSNorm(x) times the gain to `write`, LANES at a time.
template <typename T, typename Write>
void rms_norm(const T* x, const float* gain, int size, float eps, const Write& write) {
    Lanes squares = {};
    for (int i = 0; i < size; i += LANES) squares += load(x + i) * load(x + i);
    const float factor = 1 / std::sqrt(sum(squares) / size + eps);
    for (int i = 0; i < size; i += LANES) write(i, load(x + i) * factor * load(gain + i));
}

inline void rms_norm(const float* x, const float* gain, int size, float eps, float* y) {
    rms_norm(x, gain, size, eps, [&](int at, Lanes value) { store(y + at, value); });
}

// RMSNorm of rows (rows, size), or of x added to y.
template <typename T>
void normed(const T* x, const float* gain, int rows, int size, float eps, T* y, bool add) {
    for (; rows--; x += size, y += size)
        rms_norm(x, gain, size, eps, [&](int at, Lanes value) { store(y + at, add ? load(y + at) + value : value); });
}

// RoPE of one head: y is not x.
inline void rotate(const float* x, const float* cos, const float* sin, int dim, float* y) {
    const int half = dim / 2;
    for (int i = 0; i < half; i++) y[i] = x[i] * cos[i] - x[i + half] * sin[i];
    for (int i = half; i < dim; i++) y[i] = x[i] * cos[i] + x[i - half] * sin[i];
}
