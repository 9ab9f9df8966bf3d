// The document's part of attention by tiles, of states in int8, each times its token's scale and its channel's. Those
// of the channels go into what is asked and into what is summed up, those of the tokens into scores and weights.
// Weights are numbers in two parts, as what is asked.

#pragma once

#include "document_block.h"
#include "int8_tiles.h"

#ifdef HAS_TILES

class DocumentInt8Tiles : DocumentBlock {
public:
    using State = int8_t;
    static constexpr int DEPTH = INT8_DEPTH;  // tokens that are added up in one step
    const int block = groups > 1 ? 256 : 128;  // tokens: of fewer, a strip stays nearer; of more, less is added up

private:
    const int strip_size = INT8_DEPTH * block;  // numbers of 64 columns
    const float* const channel_scales;
    const EightRows asked;
    float* const scores = scratch<float, 14>((size_t)block * TILE);                  // (tokens, 16)
    int8_t* const weights = scratch<int8_t, 22>((size_t)groups * 2 * block * TILE);  // of eight rows, in tiles
    float* const weight_scales = scratch<float, 24>((size_t)groups * TILE);
    int8_t* const quads = scratch<int8_t, 23>(2 * strip_size);  // (columns / 16, tokens / 64) tiles, of two strips

    bool both(int group) const { return group * TILE + EIGHT < rows; }  // whether there are rows in both its halves

    int8_t* weights_of(int group, int half) const { return weights + (size_t)(group * 2 + half) * block * TILE; }

    template <bool BOTH>
    void score(const int8_t* states, const float* token_scales, int size, int group) const {
        constexpr int TOKENS = 2 * TILE;
        const int8_t *const one = asked.group(2 * group), *const two = one + (BOTH ? (size_t)TILE * hidden : 0);
        const Lanes scale = asked.scales_of(2 * group);
        alignas(64) float sums[2][TOKENS * TILE] = {};
        for (int token = 0; token < size; token += TOKENS, states += (size_t)TOKENS * hidden) {
            clear_sums();
            for (int i = 0; i < hidden; i += INT8_DEPTH)
                add_products<true, BOTH>(states + i, states + (size_t)TILE * hidden + i, one + (size_t)i * TILE,
                                         two + (size_t)i * TILE, hidden);
            store_sums<BOTH>(sums[0], sums[1]);
            for (int n = 0; n < TOKENS; n++)
                store(scores + (size_t)(token + n) * TILE,
                      whole_of(sums[0] + n * TILE, sums[1] + n * TILE) * (scale * token_scales[token + n]));
        }
    }

    void weigh(const float* token_scales, int size, int group) const {
        const Lanes highest = highest_of(scores, size), peak = raise(group, highest);
        const float largest = *std::max_element(token_scales, token_scales + size);
        const __m512i second = _mm512_set1_epi32(block * TILE - EIGHT * INT8_DEPTH);
        const __m512i apart = lanes_apart(INT8_DEPTH), places = _mm512_mask_add_epi32(apart, 0xff00, apart, second);
        Lanes total = {};
        for (int token = 0; token < size; token += 4) {
            Integers whole[4];
            for (int n = 0; n < 4; n++) {  // relative to this block's highest: a faint block is weighed as well as any
                const Lanes weight = power_of_two((load(scores + (size_t)(token + n) * TILE) - highest) * LOG2_E);
                whole[n] = rounded(weight * (token_scales[token + n] * (WHOLE / largest)));
                total += weight;
            }
            const Quads parts(whole);
            int8_t* const to = weights_of(group, 0) + (size_t)(token / DEPTH) * INT8_TILE + token % DEPTH;
            _mm512_i32scatter_epi32(to, places, parts.high, 1);
            _mm512_i32scatter_epi32(to + EIGHT * INT8_DEPTH, places, parts.low, 1);
        }
        const Lanes part = power_of_two((highest - peak) * LOG2_E);
        add_total(group, total * part);
        store(weight_scales + group * TILE, part * (largest / WHOLE));
    }

    // Adds what a group weighs of 32 columns.
    template <bool BOTH, typename Meanwhile>
    void add_states(int size, int group, int column, const int8_t* quads, const Meanwhile& meanwhile) const {
        alignas(64) float added[2][2][TILE][TILE];  // of 16 columns each
        clear_sums();
        for (int token = 0; token < size; token += DEPTH) {
            const int8_t *const from = quads + token * TILE, *const tile = weights_of(group, 0) + token * TILE;
            add_products<BOTH>(tile, tile + block * TILE, from, from + block * TILE);
            meanwhile();
        }
        store_sums(added[0][0][0], added[1][0][0]);
        for (int row = 0; row < std::min(TILE, rows - group * TILE); row++)
            for (int half = 0; half < 2; half++) {
                const float(&sums_of)[TILE][TILE] = added[half][row / EIGHT];
                const Lanes sum = stored(sums_of[row % EIGHT]) * 256 + stored(sums_of[row % EIGHT + EIGHT]);
                float* const to = sums + ((size_t)group * TILE + row) * hidden + column + half * TILE;
                const float scale = weight_scales[group * TILE + row];
                store(to, load(to) + sum * (scale * load(channel_scales + column + half * TILE)));
            }
    }

    // 64 columns of a block's states become quads, a few tokens at a time; the next block's are fetched.
    class Strip {
        const int8_t* from;
        int8_t* to;
        const int hidden, block;
        int left;

    public:
        Strip(const int8_t* states, int hidden, int size, int block, int8_t* quads)
            : from(states), to(quads), hidden(hidden), block(block), left(size) {}

        void make(int some) {
            for (; some > 0 && left > 0; some -= 4, left -= 4, from += (size_t)4 * hidden, to += 4 * TILE) {
                for (int n = 0; n < 4; n++) _mm_prefetch(from + (size_t)(block + n) * hidden, _MM_HINT_T1);
                interleave(from, hidden, to, block * TILE);
            }
        }
    };

    // Adds what all groups weigh; while tiles of a strip of columns multiply, the next one is made.
    void add_all(const int8_t* states, int size) const {
        const auto quads_of = [&](int column) { return quads + column / INT8_DEPTH % 2 * strip_size; };
        const int steps = 2 * groups * (size / DEPTH), each = (size + steps - 1) / steps;
        Strip(states, hidden, size, block, quads).make(size);
        for (int column = 0; column < hidden; column += INT8_DEPTH) {
            const int next = column + INT8_DEPTH;
            Strip strip(states + next, hidden, next < hidden ? size : 0, block, quads_of(next));
            const auto meanwhile = [&] { strip.make(each); };
            for (int group = 0; group < groups; group++)
                for (int part = 0; part < INT8_DEPTH; part += 2 * TILE) {
                    const int8_t* const from = quads_of(column) + part * block;
                    both(group) ? add_states<true>(size, group, column + part, from, meanwhile)
                                : add_states<false>(size, group, column + part, from, meanwhile);
                }
        }
    }

public:
    DocumentInt8Tiles(const float* absorbed, int rows, int hidden, const float* channel_scales, float* sums,
                      float* peaks, float* totals)
        : DocumentBlock(rows, hidden, sums, peaks, totals), channel_scales(channel_scales),
          asked(absorbed, rows, hidden, channel_scales) {}

    // As that of `DocumentTiles`.
    template <typename Complete>
    void attend(const int8_t* states, const float* token_scales, int size, const Complete& complete) const {
        for (int group = 0; group < groups; group++) {
            both(group) ? score<true>(states, token_scales, size, group)
                        : score<false>(states, token_scales, size, group);
            complete(group, scores);
            weigh(token_scales, size, group);
        }
        add_all(states, size);
    }
};

#endif
