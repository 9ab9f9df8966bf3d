// The document's part of attention by tiles, of states in bfloat16.

#pragma once

#include "document_block.h"

#ifdef HAS_TILES

class DocumentTiles : DocumentBlock {
public:
    using State = bfloat16;
    static constexpr int DEPTH = ::DEPTH;  // tokens that are added up in one step
    static constexpr int block = 128;      // tokens: what is needed of them stays in a core's cache

private:
    const uint32_t* const asked;  // (groups, hidden / 2, 16, 2)
    float* const scores = scratch<float, 14>((size_t)groups * block * TILE);       // (groups, tokens, 16)
    bfloat16* const weights = scratch<bfloat16, 15>((size_t)groups * block * TILE);  // tiles of 32 tokens
    bfloat16* const paired = scratch<bfloat16, 16>((size_t)block * hidden);  // (hidden / 16, tokens / 32) tiles

    const bfloat16* asked_by(int group) const {
        return reinterpret_cast<const bfloat16*>(asked + (size_t)group * hidden / 2 * TILE);
    }

    float* scores_of(int group) const { return scores + (size_t)group * block * TILE; }

    bfloat16* weights_of(int group, int token) const {
        return weights + ((size_t)group * block + token) * TILE;
    }

    bfloat16* paired_of(int column, int token) const {
        return paired + (size_t)column * block + (size_t)token * TILE;
    }

    // The scores of two groups; the first two pair the states, for `add_states`: the core does both at once.
    template <bool PAIRS, bool BOTH>
    void score(const bfloat16* states, int size, int group) const {
        const int next = group + BOTH;
        for (int token = 0; token < size; token += DEPTH, states += (size_t)DEPTH * hidden) {
            clear_sums();
            for (int i = 0; i < hidden; i += DEPTH) {
                add_products<GoesBy::TOKENS, BOTH>(states + i, states + (size_t)TILE * hidden + i,
                                                   asked_by(group) + (size_t)i * TILE,
                                                   asked_by(next) + (size_t)i * TILE, 2 * hidden);
                if (PAIRS) interleave(states + i, DEPTH, hidden, paired_of(i, token), (size_t)TILE * block);
            }
            store_sums<BOTH>(scores_of(group) + (size_t)token * TILE, scores_of(next) + (size_t)token * TILE);
        }
    }

    void weigh(int group, int size) const {
        const float* const scored = scores_of(group);
        const Lanes peak = raise(group, highest_of(scored, size));
        Lanes total = {};
        for (int token = 0; token < size; token += 2) {
            const float* const from = scored + (size_t)token * TILE;
            const Lanes one = power_of_two((load(from) - peak) * LOG2_E);
            const Lanes two = power_of_two((load(from + TILE) - peak) * LOG2_E);
            scatter_pair(weights_of(group, token / DEPTH * DEPTH) + token % DEPTH, DEPTH, one, two);
            total += one + two;
        }
        add_total(group, total);
    }

    template <bool BOTH>
    void add_states(int size, int group) const {
        for (int i = 0; i < hidden; i += DEPTH) {
            float *const to = sums + (size_t)group * TILE * hidden + i, *const next = to + (size_t)TILE * hidden;
            in_order();
            _tile_loadd(0, to, 4 * hidden);
            _tile_loadd(2, to + TILE, 4 * hidden);
            if (BOTH) {
                _tile_loadd(1, next, 4 * hidden);
                _tile_loadd(3, next + TILE, 4 * hidden);
            }
            for (int token = 0; token < size; token += DEPTH) {
                _tile_loadd(4, paired_of(i, token), 64);
                _tile_loadd(5, paired_of(i + TILE, token), 64);
                _tile_loadd(6, weights_of(group, token), 64);
                _tile_dpbf16ps(0, 6, 4);
                _tile_dpbf16ps(2, 6, 5);
                if (!BOTH) continue;
                _tile_loadd(7, weights_of(group + 1, token), 64);
                _tile_dpbf16ps(1, 7, 4);
                _tile_dpbf16ps(3, 7, 5);
            }
            _tile_stored(0, to, 4 * hidden);
            _tile_stored(2, to + TILE, 4 * hidden);
            if (BOTH) {
                _tile_stored(1, next, 4 * hidden);
                _tile_stored(3, next + TILE, 4 * hidden);
            }
        }
    }

public:
    DocumentTiles(const float* absorbed, int rows, int hidden, const float*, float* sums, float* peaks, float* totals)
        : DocumentBlock(rows, hidden, sums, peaks, totals), asked(paired_rows(absorbed, rows, hidden)) {}

    // Over whole depths of the document's tokens, up to a block. `complete(group, scores, scaled)` makes scores of a
    // group's products with the states, (size, 16), which may be `scaled` by `key_scales(group)` where it has any.
    template <typename KeyScales, typename Complete>
    void attend(const bfloat16* states, const float*, int size, const KeyScales&, const Complete& complete) const {
        for (int group = 0; group < groups; group += 2) {
            const bool both = group + 1 < groups;
            if (group) both ? score<false, true>(states, size, group) : score<false, false>(states, size, group);
            else both ? score<true, true>(states, size, group) : score<true, false>(states, size, group);
            for (int one = group; one <= group + both; one++) {
                complete(one, scores_of(one), false);
                weigh(one, size);
            }
            both ? add_states<true>(size, group) : add_states<false>(size, group);
        }
    }
};

#endif
