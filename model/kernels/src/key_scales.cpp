// `1 / rms(W_k h)` of a piece of a document's states, of every decoder layer and key head: what `memory.py` keeps.

#include "columns.h"

#ifdef HAS_TILES

// states (tokens, hidden) -> scales (layers, key_heads, tokens), of tokens [first, end).
extern "C" void key_scales(const Layer* const* layers, int32_t count, const bfloat16* states, int32_t first,
                           int32_t end, int32_t tokens, float* scales) {
    const Tiles tiles;
    const int hidden = layers[0]->hidden, groups = whole_depths(end - first) / TILE;
    const __m512i rows = lanes_apart(hidden);
    const auto inside = [&](int group) {  // lanes that are tokens
        return (__mmask16)((1u << std::clamp(end - first - group * TILE, 0, TILE)) - 1);
    };
    auto* const paired = scratch<bfloat16, 18>((size_t)groups * hidden * TILE);
    for (int group = 0; group < groups; group++)
        for (int i = 0; i < hidden; i += 2) {
            const bfloat16* const from = states + ((size_t)first + (size_t)group * TILE) * hidden + i;
            const __m512i pairs = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), inside(group), rows, from, 2);
            _mm512_store_si512(paired + ((size_t)group * hidden + i) * TILE, pairs);
        }
    for (int index = 0; index < count; index++) {
        const Layer& layer = *layers[index];
        const int dim = layer.head_dim, outs = layer.key_heads * dim;
        float* const keys = scratch<float, 19>((size_t)groups * outs * TILE);
        columns_product(matrix_of(layer, layer.k_proj, hidden), 0, hidden, outs, paired, groups, keys);
        for (int group = 0; group < groups; group++)
            for (int head = 0; head < layer.key_heads; head++) {
                const Lanes factor = rms_factor(keys + ((size_t)group * outs + head * dim) * TILE, dim, layer.eps);
                float* const to = scales + ((size_t)index * layer.key_heads + head) * tokens + first + group * TILE;
                _mm512_mask_storeu_ps(to, inside(group), (__m512)factor);
            }
    }
}

#else

extern "C" void key_scales(const Layer* const*, int32_t, const void*, int32_t, int32_t, int32_t, float*) {}

#endif
