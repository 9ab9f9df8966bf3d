// The document's part of attention by tiles, of states in int8, each times its token's scale and its channel's. Those
// of the channels go into what is asked and into what is summed up, those of the tokens into scores and weights.
//
// What is asked are numbers in two parts (`int8_tiles.h`). Weights are bytes, relative to the highest of their block: a
// faint block is weighed as well as any.

#pragma once

#include "document_block.h"
#include "int8_tiles.h"

#ifdef HAS_TILES

class DocumentInt8Tiles : DocumentBlock {
public:
    using State = int8_t;
    static constexpr int DEPTH = INT8_DEPTH;  // tokens that are added up in one step
    const int block = groups > 1 ? 256 : 128;  // tokens: of fewer, strips are nearer; of more, less is added up

private:
    static constexpr int TOKENS = 2 * TILE;     // that are scored at a time: so many stay in the core's first cache
    static constexpr int TOGETHER = 4;          // groups that they are scored for before the next ones
    static constexpr float MOST_WEIGHT = 254;   // with a half added, it still is a byte when rounded
    const int strip_size = INT8_DEPTH * block;  // numbers of 64 columns
    const float* const channel_scales;
    const EightRows asked;
    float* const scores = scratch<float, 14>((size_t)TOGETHER * block * TILE);     // (groups, tokens, 16)
    uint8_t* const weights = scratch<uint8_t, 22>((size_t)groups * block * TILE);  // (groups, tokens / 64) tiles
    float* const weight_scales = scratch<float, 24>((size_t)groups * TILE);
    int8_t* const quads = scratch<int8_t, 23>(2 * strip_size);  // (columns / 16, tokens / 64) tiles, of two strips

    uint8_t* weights_of(int group, int token) const { return weights + ((size_t)group * block + token) * TILE; }

    float* scores_of(int group) const { return scores + (size_t)(group % TOGETHER) * block * TILE; }

    using Products = float[2][TOKENS * TILE];  // of a group's first eight rows, and of the others

    template <bool BOTH>  // whether there are others
    void score(const int8_t* states, const float* token_scales, const float* key_scales, int token, int group,
               Products& products) const {
        const int8_t *const one = asked.group(2 * group), *const two = one + (BOTH ? (size_t)TILE * hidden : 0);
        const Lanes scale = asked.scales_of(2 * group);
        float* const to = scores_of(group) + (size_t)token * TILE;
        clear_sums();
        for (int i = 0; i < hidden; i += INT8_DEPTH)
            add_products<true, BOTH>(states + i, states + (size_t)TILE * hidden + i, one + (size_t)i * TILE,
                                     two + (size_t)i * TILE, hidden);
        store_sums<BOTH>(products[0], products[1]);
        for (int n = 0; n < TOKENS; n++) {
            const float of_token = token_scales[token + n] * (key_scales ? key_scales[token + n] : 1);
            store(to + n * TILE, whole_of(products[0] + n * TILE, products[1] + n * TILE) * (scale * of_token));
        }
    }

    // A block's scores for some groups; key_scales: of each of them, where they are to be in.
    void score(const int8_t* states, const float* token_scales, const float* const* key_scales, int size, int first,
               int last) const {
        alignas(64) Products products = {};
        for (int token = 0; token < size; token += TOKENS, states += (size_t)TOKENS * hidden)
            for (int group = first; group < last; group++) {
                const float* const of_keys = key_scales[group - first];
                group * TILE + EIGHT < rows ? score<true>(states, token_scales, of_keys, token, group, products)
                                            : score<false>(states, token_scales, of_keys, token, group, products);
            }
    }

    // What is left when a weight is rounded goes to the token four on: many small ones would all become zero.
    void weigh(const float* token_scales, float largest, int size, int group) const {
        const float* const scored = scores_of(group);
        const Lanes highest = highest_of(scored, size), peak = raise(group, highest);
        const float whole = MOST_WEIGHT / largest;
        Lanes total = {}, left[4] = {};
        for (int token = 0; token < size; token += DEPTH) {
            Words fours[TILE] = {};  // of four tokens each
            for (int n = 0; n < DEPTH; n++) {
                const int at = token + n;
                const Lanes weight = power_of_two((load(scored + (size_t)at * TILE) - highest) * LOG2_E);
                const Lanes given = weight * (token_scales[at] * whole) + left[n % 4];
                const Integers byte = rounded(given);
                left[n % 4] = given - __builtin_convertvector(byte, Lanes);
                fours[n / 4] |= (Words)byte << n % 4 * 8;
                total += weight;
            }
            transpose(fours, weights_of(group, token));
        }
        const Lanes part = power_of_two((highest - peak) * LOG2_E);
        add_total(group, total * part);
        store(weight_scales + group * TILE, part / whole);
    }

    // Adds what two groups weigh of 32 columns, or one.
    template <bool BOTH, typename Meanwhile>
    void add_states(int size, int group, int column, const int8_t* quads, const Meanwhile& meanwhile) const {
        alignas(64) float added[2][2][TILE][TILE];  // of 16 columns each, of each group
        clear_sums();
        for (int token = 0; token < size; token += DEPTH) {
            const int8_t* const from = quads + token * TILE;
            add_products<BOTH>(weights_of(group, token), weights_of(group + BOTH, token), from, from + block * TILE);
            meanwhile();
        }
        store_sums(added[0][0][0], added[1][0][0]);
        const int end = std::min((group + 1 + BOTH) * TILE, rows);
        const Lanes one = load(channel_scales + column), two = load(channel_scales + column + TILE);
        float* to = sums + (size_t)group * TILE * hidden + column;
        for (int row = group * TILE; row < end; row++, to += hidden) {
            const int of_group = row / TILE - group, of_row = row % TILE;
            const Lanes scale = all(weight_scales[row]);
            store(to, load(to) + stored(added[0][of_group][of_row]) * (one * scale));
            store(to + TILE, load(to + TILE) + stored(added[1][of_group][of_row]) * (two * scale));
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
        const int steps = (groups + 1) / 2 * 2 * (size / DEPTH), each = (size + steps - 1) / steps;
        Strip(states, hidden, size, block, quads).make(size);
        for (int column = 0; column < hidden; column += INT8_DEPTH) {
            const int next = column + INT8_DEPTH;
            Strip strip(states + next, hidden, next < hidden ? size : 0, block, quads_of(next));
            const auto meanwhile = [&] { strip.make(each); };
            for (int group = 0; group < groups; group += 2)
                for (int part = 0; part < INT8_DEPTH; part += 2 * TILE) {
                    const int8_t* const from = quads_of(column) + part * block;
                    group + 1 < groups ? add_states<true>(size, group, column + part, from, meanwhile)
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
    template <typename KeyScales, typename Complete>
    void attend(const int8_t* states, const float* token_scales, int size, const KeyScales& key_scales,
                const Complete& complete) const {
        const float largest = highest(highest_of(token_scales, size / LANES));
        for (int first = 0; first < groups; first += TOGETHER) {
            const int last = std::min(first + TOGETHER, groups);
            const float* of_keys[TOGETHER] = {};
            for (int group = first; group < last; group++) of_keys[group - first] = key_scales(group);
            score(states, token_scales, of_keys, size, first, last);
            for (int group = first; group < last; group++) {
                complete(group, scores_of(group), of_keys[group - first] != nullptr);
                weigh(token_scales, largest, size, group);
            }
        }
        add_all(states, size);
    }
};

#endif
