// An encoder layer for a block of a chunk's tokens, all of it on one core: products by tiles, and what lies between
// them while it is still in the core's caches. Sums and states are float32, factors bfloat16.

#include "encoder_layer.h"

#include "encoder_attention.h"

#ifdef READONCE_AMX

namespace readonce {
namespace {

constexpr int INNER_BLOCK = 1024;  // columns of the feed-forward at a time

class TokenBlock {
    const Layer& layer;
    const EncoderChunk& chunk;
    const int first, tokens, groups = tokens / TILE;
    const int hidden = layer.hidden, dim = layer.head_dim, all_heads = layer.heads * dim;
    Workspace& workspace = Workspace::of_this_thread();
    float* const states = chunk.hidden + (size_t)first * hidden;  // {groups, hidden, 16}
    bfloat16* const normed = workspace.normed.reserve((size_t)tokens * hidden);
    float* const projected =
        workspace.projected.reserve((size_t)tokens * std::max({hidden, all_heads, layer.key_heads * dim}));

    void norm(const float* gain) const {
        for (int group = 0; group < groups; group++) {
            const size_t place = (size_t)group * TILE * hidden;
            rms_norm_vnni2(states + place, gain, hidden, layer.eps, normed + place);
        }
    }

    void add_normed(const float* gain) const {
        for (int group = 0; group < groups; group++) {
            const size_t place = (size_t)group * TILE * hidden;
            add_rms_norm(projected + place, gain, hidden, layer.eps, states + place);
        }
    }

    // RMSNorm and RoPE of a head of a group of tokens {dim, 16}; then `write(i, x_i, x_i+1)` gets its numbers.
    template <typename Write>
    void norm_and_rotate(float* head, const float* gain, int group, float scaling, const Write& write) const {
        const F32x16 factor = inv_rms(head, dim, layer.eps) * scaling;
        const size_t table = ((size_t)first / TILE + group) * dim / 2 * TILE;
        const auto* const cos = static_cast<const bfloat16*>(chunk.cos) + table;
        const auto* const sin = static_cast<const bfloat16*>(chunk.sin) + table;
        float* const other_half = head + (size_t)dim / 2 * TILE;
        for (int i = 0; i < dim / 2; i++) {
            const size_t at = (size_t)i * TILE;
            const F32x16 one = load(head + at) * factor * gain[i];
            const F32x16 two = load(other_half + at) * factor * gain[i + dim / 2];
            store(head + at, one * load(cos + at) - two * load(sin + at));
            store(other_half + at, two * load(cos + at) + one * load(sin + at));
        }
        for (int i = 0; i < dim; i += 2) {
            const size_t at = (size_t)i * TILE;
            write(i, load(head + at), load(head + at + TILE));
        }
    }

    // A group's keys of a head, {dim, 16 tokens} to {dim / 32, 16 tokens, 32}: tiles whose rows are tokens.
    void write_keys(float* head, int group, bfloat16* keys) const {
        norm_and_rotate(head, layer.k_norm, group, 1, [&](int i, F32x16 one, F32x16 two) {
            scatter_vnni2(keys + (size_t)i / TILE_K * BF16_TILE + i % TILE_K, TILE_K, one, two);
        });
    }

    // A group's values of a head, {dim, 16 tokens} to 16 of the tokens of {dim, 32 tokens}.
    void write_values(const float* head, int group, bfloat16* values) const {
        for (int i = 0; i < dim; i++, values += TILE_K) store(values + group % 2 * TILE, load(head + (size_t)i * TILE));
    }

public:
    TokenBlock(const Layer& layer, const EncoderChunk& chunk, int first, int end)
        : layer(layer), chunk(chunk), first(first), tokens(round_up_k(end - first)) {}

    void keys_and_values() const {
        norm(layer.pre_attention_norm);
        const int outs = layer.key_heads * dim;
        const size_t padded = round_up_k(chunk.tokens);
        for (const bool is_value : {false, true}) {
            const Matrix projection = matrix_of(layer, is_value ? layer.v_proj : layer.k_proj, hidden);
            token_major_linear(projection, 0, hidden, outs, normed, groups, projected);
            for (int group = 0; group < groups; group++)
                for (int head = 0; head < layer.key_heads; head++) {
                    float* const from = projected + ((size_t)group * outs + (size_t)head * dim) * TILE;
                    const size_t of_head = head * padded * dim, token = first + (size_t)group * TILE;
                    if (is_value)
                        write_values(from, group, (bfloat16*)chunk.values + of_head + token / TILE_K * TILE_K * dim);
                    else
                        write_keys(from, group, (bfloat16*)chunk.keys + of_head + token * dim);
                }
        }
    }

    void attention() const {
        norm(layer.pre_attention_norm);
        token_major_linear(matrix_of(layer, layer.q_proj, hidden), 0, hidden, all_heads, normed, groups, projected);
        bfloat16* const queries = workspace.queries.reserve((size_t)tokens * all_heads);
        bfloat16* const attended = workspace.attended.reserve((size_t)tokens * all_heads);
        for (int group = 0; group < groups; group++)
            for (int head = 0; head < layer.heads; head++) {
                const size_t place = ((size_t)group * all_heads + (size_t)head * dim) * TILE;
                norm_and_rotate(
                    projected + place, layer.q_norm, group, layer.scaling * LOG2_E,
                    [&](int i, F32x16 one, F32x16 two) { store_vnni2(queries + place + (size_t)i * TILE, one, two); });
            }
        for (int done = 0; done < tokens; done += QUERY_TOKENS) {
            const size_t place = (size_t)done * all_heads;
            EncoderAttention(layer, chunk, first + done, std::min(QUERY_TOKENS, tokens - done))
                .attend(queries + place, attended + place);
        }
        token_major_linear(matrix_of(layer, layer.o_proj, all_heads), 0, all_heads, hidden, attended, groups,
                           projected);
        add_normed(layer.post_attention_norm);
    }

    void feed_forward() const {
        norm(layer.pre_feed_forward_norm);
        const Matrix gate = matrix_of(layer, layer.gate_proj, hidden), up = matrix_of(layer, layer.up_proj, hidden);
        const Matrix down = matrix_of(layer, layer.down_proj, layer.inner);
        bfloat16* const gated = workspace.gated.reserve((size_t)tokens * INNER_BLOCK);
        for (int begin = 0; begin < layer.inner; begin += INNER_BLOCK) {
            const int size = std::min(INNER_BLOCK, layer.inner - begin);
            GatedProduct()(gate, up, begin, size, normed, groups, gated);
            token_major_linear(down, begin, size, hidden, gated, groups, projected, begin > 0);
        }
        add_normed(layer.post_feed_forward_norm);
    }
};

}  // namespace

// Of tokens [first, end) of the chunk; first is a multiple of TILE_K.
extern "C" void encoder_keys_and_values(const Layer* layer, const EncoderChunk* chunk, int32_t first, int32_t end) {
    const TileConfigScope tiles;
    TokenBlock(*layer, *chunk, first, end).keys_and_values();
}

// Replaces the states of tokens [first, end), once the keys and values of the whole chunk are there.
extern "C" void encoder_layer(const Layer* layer, const EncoderChunk* chunk, int32_t first, int32_t end) {
    const TileConfigScope tiles;
    const TokenBlock block(*layer, *chunk, first, end);
    block.attention();
    block.feed_forward();
}

}  // namespace readonce

#else

namespace readonce {

extern "C" void encoder_keys_and_values(const Layer*, const EncoderChunk*, int32_t, int32_t) {}
extern "C" void encoder_layer(const Layer*, const EncoderChunk*, int32_t, int32_t) {}

}  // namespace readonce

#endif
