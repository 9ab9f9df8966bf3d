// Products with the output head's matrix, which is read in four bits a number (int4_codebook.h); then those of its rows
// that gave the largest logits are read as they are.

#include <algorithm>
#include <functional>
#include <vector>

#include "int4_codebook.h"

namespace readonce {

#ifdef READONCE_AMX

namespace {

constexpr int EXACT_PANELS = 128;  // of 16 logits

// The largest logit of each panel {rows, outs / 16}, of the calling thread's range of logits {rows, outs}.
void find_panel_maxima(const ThreadRange& range, const float* logits, int rows, int outs, float* maxima) {
    for (int row = 0; row < rows; row++)
        for (int out = range.first; out < range.last; out += TILE) {
            const __m512 some = (__m512)load(logits + (size_t)row * outs + out);
            maxima[((size_t)row * outs + out) / TILE] =
                _mm512_reduce_max_ps(_mm512_max_ps(some, (__m512)broadcast(MASKED_SCORE)));
        }
}

// The smallest maximum among a row's EXACT_PANELS panels with the largest.
float threshold_of(const float* maxima, int panels) {
    if (panels <= EXACT_PANELS) return MASKED_SCORE;
    std::vector<float> sorted(maxima, maxima + panels);
    std::nth_element(sorted.begin(), sorted.begin() + EXACT_PANELS - 1, sorted.end(), std::greater<float>());
    return sorted[EXACT_PANELS - 1];
}

}  // namespace

// The matrix {outs, in} as weight panels of four bits a number. columns {in}: the root mean squares of its columns.
extern "C" void output_head_panels(const bfloat16* matrix, int32_t in, int32_t outs, const float* columns,
                                   int8_t* panels, int32_t threads) {
#pragma omp parallel for num_threads(threads)
    for (int panel = 0; panel < outs / TILE; panel++)
        pack_int4_panel(matrix + (size_t)panel * TILE * in, in, columns, panels + Int4Panels::bytes(in) * panel);
}

// logits {rows, outs} = x {rows, in} times the matrix {outs, in}: nearly, but the largest exactly.
extern "C" void output_head(const bfloat16* matrix, const int8_t* panels, const float* columns, int32_t in,
                            int32_t outs, const float* x, int32_t rows, float* logits, int32_t threads) {
    const int count = outs / TILE;
    std::vector<float> maxima((size_t)rows * count), thresholds(rows);
#pragma omp parallel num_threads(threads)
    {
        const TileConfigScope tiles;
        const ThreadRange range(outs, 2 * TILE);
        tile_panel_linear<Int4Panels>(panels, in, range.first, range.last, x, rows, logits, outs, columns);
        find_panel_maxima(range, logits, rows, outs, maxima.data());
#pragma omp barrier
#pragma omp for
        for (int row = 0; row < rows; row++) thresholds[row] = threshold_of(&maxima[(size_t)row * count], count);
#pragma omp for schedule(static, 32)
        for (int panel = 0; panel < count; panel++)
            for (int row = 0; row < rows; row++)
                if (maxima[(size_t)row * count + panel] >= thresholds[row])
                    linear(matrix, in, panel * TILE, (panel + 1) * TILE, x + (size_t)row * in, 1,
                           logits + (size_t)row * outs, outs);
    }
}

#else

extern "C" void output_head_panels(const bfloat16*, int32_t, int32_t, const float*, int8_t*, int32_t) {}
extern "C" void output_head(const bfloat16*, const int8_t*, const float*, int32_t, int32_t, const float*, int32_t,
                            float*, int32_t) {}

#endif

}  // namespace readonce
