// `1 / rms(W_k h)` of some of a document's states, of every decoder layer and key head: what `Memory.key_inv_rms`
// keeps.

#include "token_major.h"

namespace readonce {

#ifdef READONCE_AMX

// states {tokens, hidden} -> out {layers, key_heads, tokens}, of tokens [first, end).
extern "C" void key_inv_rms(const Layer* const* layers, int32_t count, const bfloat16* states, int32_t first,
                            int32_t end, int32_t tokens, float* out) {
    const TileConfigScope tiles;
    Workspace& workspace = Workspace::of_this_thread();
    const int hidden = layers[0]->hidden, groups = round_up_k(end - first) / TILE;
    const __m512i rows = lane_offsets(hidden);
    const auto valid_lanes = [&](int group) {  // those that are tokens
        return (__mmask16)((1u << std::clamp(end - first - group * TILE, 0, TILE)) - 1);
    };
    auto* const packed = workspace.packed_document.reserve((size_t)groups * hidden * TILE);
    for (int group = 0; group < groups; group++)
        for (int i = 0; i < hidden; i += 2) {
            const bfloat16* const from = states + ((size_t)first + (size_t)group * TILE) * hidden + i;
            const __m512i pairs =
                _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), valid_lanes(group), rows, from, 2);
            _mm512_store_si512(packed + ((size_t)group * hidden + i) * TILE, pairs);
        }
    for (int index = 0; index < count; index++) {
        const Layer& layer = *layers[index];
        const int dim = layer.head_dim, outs = layer.key_heads * dim;
        float* const keys = workspace.keys.reserve((size_t)groups * outs * TILE);
        token_major_linear(matrix_of(layer, layer.k_proj, hidden), 0, hidden, outs, packed, groups, keys);
        for (int group = 0; group < groups; group++)
            for (int head = 0; head < layer.key_heads; head++) {
                const F32x16 factor = inv_rms(keys + ((size_t)group * outs + head * dim) * TILE, dim, layer.eps);
                float* const to = out + ((size_t)index * layer.key_heads + head) * tokens + first + group * TILE;
                _mm512_mask_storeu_ps(to, valid_lanes(group), (__m512)factor);
            }
    }
}

#else

extern "C" void key_inv_rms(const Layer* const*, int32_t, const void*, int32_t, int32_t, int32_t, float*) {}

#endif

}  // namespace readonce
