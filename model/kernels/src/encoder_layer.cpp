// An encoder layer for a piece of a document on one core, all of it: products by tiles, and what lies between them
// while it is still in the core's caches. Sums and the states themselves are float32, factors bfloat16.

#include "encoder_layer.h"

#include "encoder_attention.h"

#ifdef HAS_TILES

namespace {

constexpr int INNER = 1024;  // columns of the feed-forward at a time

class Piece {
    const Layer& layer;
    const Window& window;
    const int first, tokens, groups = tokens / TILE;
    const int hidden = layer.hidden, dim = layer.head_dim, all_heads = layer.heads * dim;
    float* const states = window.hidden + (size_t)first * hidden;  // (groups, hidden, 16)
    bfloat16* const normed = scratch<bfloat16, 9>((size_t)tokens * hidden);
    float* const made = scratch<float, 10>((size_t)tokens * std::max({hidden, all_heads, layer.key_heads * dim}));

    void norm(const float* gain) const {
        for (int group = 0; group < groups; group++) {
            const size_t place = (size_t)group * TILE * hidden;
            normed_pairs(states + place, gain, hidden, layer.eps, normed + place);
        }
    }

    void add(const float* gain) const {
        for (int group = 0; group < groups; group++) {
            const size_t place = (size_t)group * TILE * hidden;
            add_normed(made + place, gain, hidden, layer.eps, states + place);
        }
    }

    // RMSNorm and RoPE of a head of a group of tokens, (dim, 16); then `write` gets each two numbers that follow.
    template <typename Write>
    void turn(float* head, const float* gain, int group, float scaling, const Write& write) const {
        const Lanes factor = rms_factor(head, dim, layer.eps) * scaling;
        const size_t table = ((size_t)first / TILE + group) * dim / 2 * TILE;
        const auto* const cos = static_cast<const bfloat16*>(window.cos) + table;
        const auto* const sin = static_cast<const bfloat16*>(window.sin) + table;
        float* const opposite = head + (size_t)dim / 2 * TILE;
        for (int i = 0; i < dim / 2; i++) {
            const size_t at = (size_t)i * TILE;
            const Lanes one = load(head + at) * factor * gain[i];
            const Lanes two = load(opposite + at) * factor * gain[i + dim / 2];
            store(head + at, one * load(cos + at) - two * load(sin + at));
            store(opposite + at, two * load(cos + at) + one * load(sin + at));
        }
        for (int i = 0; i < dim; i += 2) {
            const size_t at = (size_t)i * TILE;
            write(i, load(head + at), load(head + at + TILE));
        }
    }

    // A group's keys of a head, turned: rows of tokens.
    void write_keys(float* head, int group, bfloat16* keys) const {
        turn(head, layer.k_norm, group, 1, [&](int i, Lanes one, Lanes two) {
            scatter_pair(keys + (size_t)i / DEPTH * TILE_SIZE + i % DEPTH, DEPTH, one, two);
        });
    }

    void write_values(const float* head, int group, bfloat16* values) const {
        for (int i = 0; i < dim; i++, values += DEPTH) store(values + group % 2 * TILE, load(head + (size_t)i * TILE));
    }

public:
    Piece(const Layer& layer, const Window& window, int first, int end)
        : layer(layer), window(window), first(first), tokens(whole_depths(end - first)) {}

    void keys_and_values() const {
        norm(layer.before_attention);
        const int outs = layer.key_heads * dim;
        const size_t padded = whole_depths(window.tokens);
        for (const bool is_value : {false, true}) {
            const Matrix projection = matrix_of(layer, is_value ? layer.v_proj : layer.k_proj, hidden);
            columns_product(projection, 0, hidden, outs, normed, groups, made);
            for (int group = 0; group < groups; group++)
                for (int head = 0; head < layer.key_heads; head++) {
                    float* const from = made + ((size_t)group * outs + (size_t)head * dim) * TILE;
                    const size_t part = head * padded * dim, token = first + (size_t)group * TILE;
                    if (is_value)
                        write_values(from, group, (bfloat16*)window.values + part + token / DEPTH * DEPTH * dim);
                    else write_keys(from, group, (bfloat16*)window.keys + part + token * dim);
                }
        }
    }

    void attention() const {
        norm(layer.before_attention);
        columns_product(matrix_of(layer, layer.q_proj, hidden), 0, hidden, all_heads, normed, groups, made);
        bfloat16* const queries = scratch<bfloat16, 11>((size_t)tokens * all_heads);
        bfloat16* const attended = scratch<bfloat16, 12>((size_t)tokens * all_heads);
        for (int group = 0; group < groups; group++)
            for (int head = 0; head < layer.heads; head++) {
                const size_t place = ((size_t)group * all_heads + (size_t)head * dim) * TILE;
                turn(made + place, layer.q_norm, group, layer.scaling * LOG2_E, [&](int i, Lanes one, Lanes two) {
                    store_pair(queries + place + (size_t)i * TILE, one, two);
                });
            }
        for (int done = 0; done < tokens; done += STEP) {
            const size_t place = (size_t)done * all_heads;
            EncoderAttention(layer, window, first + done, std::min(STEP, tokens - done))
                .attend(queries + place, attended + place);
        }
        columns_product(matrix_of(layer, layer.o_proj, all_heads), 0, all_heads, hidden, attended, groups, made);
        add(layer.after_attention);
    }

    void feed_forward() const {
        norm(layer.before_feed_forward);
        const Matrix gates = matrix_of(layer, layer.gate_proj, hidden), ups = matrix_of(layer, layer.up_proj, hidden);
        const Matrix down = matrix_of(layer, layer.down_proj, layer.inner);
        bfloat16* const inner = scratch<bfloat16, 13>((size_t)tokens * INNER);
        for (int begin = 0; begin < layer.inner; begin += INNER) {
            const int size = std::min(INNER, layer.inner - begin);
            InnerProduct()(gates, ups, begin, size, normed, groups, inner);
            columns_product(down, begin, size, hidden, inner, groups, made, begin > 0);
        }
        add(layer.after_feed_forward);
    }
};
}  // namespace

// Of tokens [first, end) of the window; first is whole depths.
extern "C" void encoder_keys_and_values(const Layer* layer, const Window* window, int32_t first, int32_t end) {
    const Tiles tiles;
    Piece(*layer, *window, first, end).keys_and_values();
}

// Replaces the states of tokens [first, end), once the keys and values of all are made.
extern "C" void encoder_layer(const Layer* layer, const Window* window, int32_t first, int32_t end) {
    const Tiles tiles;
    const Piece piece(*layer, *window, first, end);
    piece.attention();
    piece.feed_forward();
}

#else

extern "C" void encoder_keys_and_values(const Layer*, const Window*, int32_t, int32_t) {}
extern "C" void encoder_layer(const Layer*, const Window*, int32_t, int32_t) {}

#endif
