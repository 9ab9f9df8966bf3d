// The output head's matrix, read in four bits a number; then rows that gave the largest logits are read as they are.

#include <algorithm>
#include <vector>

#include "nibbles.h"

namespace {

constexpr int EXACT = 128;  // strips of 16 logits

#ifdef HAS_TILES

// The largest logits of the calling thread's strips, of rows of logits (rows, outs): (rows, outs / 16).
void find_peaks(const Share& share, const float* logits, int rows, int outs, float* peaks) {
    for (int row = 0; row < rows; row++)
        for (int out = share.first; out < share.last; out += TILE) {
            const __m512 some = (__m512)load(logits + (size_t)row * outs + out);
            peaks[((size_t)row * outs + out) / TILE] = _mm512_reduce_max_ps(_mm512_max_ps(some, (__m512)all(MASKED)));
        }
}

float exact_from(const float* peaks, int strips) {
    if (strips <= EXACT) return MASKED;
    std::vector<float> sorted(peaks, peaks + strips);
    std::nth_element(sorted.begin(), sorted.begin() + EXACT - 1, sorted.end(), std::greater<float>());
    return sorted[EXACT - 1];
}

#endif
}  // namespace

// The matrix (outs, in) as strips; columns (in): its columns' root mean squares.
extern "C" void output_head_strips(const uint16_t* matrix, int32_t in, int32_t outs, const float* columns,
                                   int8_t* strips, int32_t threads) {
#ifdef HAS_TILES
#pragma omp parallel for num_threads(threads)
    for (int strip = 0; strip < outs / TILE; strip++)
        make_strip(matrix + (size_t)strip * TILE * in, in, columns, strips + NibbleStrips::bytes(in) * strip);
#endif
}

// logits (rows, outs) = x (rows, in) times the matrix (outs, in): nearly, but the largest exactly.
extern "C" void output_head(const uint16_t* matrix, const int8_t* strips, const float* columns, int32_t in,
                            int32_t outs, const float* x, int32_t rows, float* logits, int32_t threads) {
#ifdef HAS_TILES
    const int count = outs / TILE;
    std::vector<float> peaks((size_t)rows * count), from(rows);
#pragma omp parallel num_threads(threads)
    {
        const Tiles tiles;
        const Share share(outs, 2 * TILE);
        strip_product<NibbleStrips>(strips, in, share.first, share.last, x, rows, logits, outs, columns);
        find_peaks(share, logits, rows, outs, peaks.data());
#pragma omp barrier
#pragma omp for
        for (int row = 0; row < rows; row++) from[row] = exact_from(&peaks[(size_t)row * count], count);
#pragma omp for schedule(static, 32)
        for (int strip = 0; strip < count; strip++)
            for (int row = 0; row < rows; row++)
                if (peaks[(size_t)row * count + strip] >= from[row])
                    product(matrix, in, strip * TILE, (strip + 1) * TILE, x + (size_t)row * in, 1,
                            logits + (size_t)row * outs, outs);
    }
#endif
}
