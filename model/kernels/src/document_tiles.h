// Attention to the document's states in bfloat16, by tiles.

#pragma once

#include "document_softmax.h"

#ifdef READONCE_AMX

namespace readonce {

class DocumentTiles : DocumentSoftmax {
public:
    using State = bfloat16;
    static constexpr int STEP_TOKENS = TILE_K;  // tokens that are summed up in one step
    static constexpr int block = 128;           // tokens: what is needed of them stays in a core's cache

    static Buffer<State>& padded_states() { return Workspace::of_this_thread().last_states; }

private:
    const uint32_t* const queries;  // {groups, hidden / 2, 16, 2}
    Workspace& workspace = Workspace::of_this_thread();
    float* const scores = workspace.document_scores.reserve((size_t)groups * block * TILE);
    bfloat16* const weights = workspace.document_weights.reserve((size_t)groups * block * TILE);
    bfloat16* const packed = workspace.packed_states.reserve((size_t)block * hidden);

    const bfloat16* queries_of(int group) const {
        return reinterpret_cast<const bfloat16*>(queries + (size_t)group * hidden / 2 * TILE);
    }

    float* scores_of(int group) const { return scores + (size_t)group * block * TILE; }

    bfloat16* weights_of(int group, int token) const { return weights + ((size_t)group * block + token) * TILE; }

    bfloat16* packed_of(int column, int token) const { return packed + (size_t)column * block + (size_t)token * TILE; }

    // The scores of two groups, or of one. With PACK, which the first groups do, the states are packed as well, for
    // `add_states`: the core does both at once.
    template <bool PACK, bool BOTH>
    void score(const bfloat16* states, int size, int group) const {
        const int next = group + BOTH;
        for (int token = 0; token < size; token += TILE_K, states += (size_t)TILE_K * hidden) {
            zero_accumulators();
            for (int i = 0; i < hidden; i += TILE_K) {
                multiply_add<StreamedOperand::B, BOTH>(states + i, states + (size_t)TILE * hidden + i,
                                                       queries_of(group) + (size_t)i * TILE,
                                                       queries_of(next) + (size_t)i * TILE, 2 * hidden);
                if (PACK) pack_vnni2(states + i, TILE_K, hidden, packed_of(i, token), (size_t)TILE * block);
            }
            store_accumulators<BOTH>(scores_of(group) + (size_t)token * TILE, scores_of(next) + (size_t)token * TILE);
        }
    }

    // Scores of a group -> its weights, relative to the running maximum.
    void weigh(int group, int size) const {
        const float* const from_scores = scores_of(group);
        const F32x16 now = raise_max(group, max_of_lanes(from_scores, size));
        F32x16 total = {};
        for (int token = 0; token < size; token += 2) {
            const float* const from = from_scores + (size_t)token * TILE;
            const F32x16 one = exp2((load(from) - now) * LOG2_E);
            const F32x16 two = exp2((load(from + TILE) - now) * LOG2_E);
            scatter_vnni2(weights_of(group, token / TILE_K * TILE_K) + token % TILE_K, TILE_K, one, two);
            total += one + two;
        }
        add_total(group, total);
    }

    // sums += weights times states, of two groups or of one. Weights are A here, and states B.
    template <bool BOTH>
    void add_states(int size, int group) const {
        for (int i = 0; i < hidden; i += TILE_K) {
            float *const to = sums + (size_t)group * TILE * hidden + i, *const next = to + (size_t)TILE * hidden;
            compiler_barrier();
            _tile_loadd(0, to, 4 * hidden);
            _tile_loadd(2, to + TILE, 4 * hidden);
            if (BOTH) {
                _tile_loadd(1, next, 4 * hidden);
                _tile_loadd(3, next + TILE, 4 * hidden);
            }
            for (int token = 0; token < size; token += TILE_K) {
                _tile_loadd(4, packed_of(i, token), 64);
                _tile_loadd(5, packed_of(i + TILE, token), 64);
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
    DocumentTiles(const float* absorbed, int query_rows, int hidden, const float*, float* sums, float* maxima,
                  float* totals)
        : DocumentSoftmax(query_rows, hidden, sums, maxima, totals),
          queries(pack_rows_vnni2(absorbed, query_rows, hidden)) {}

    // Over `size` tokens of the document, a multiple of STEP_TOKENS and at most a block. `complete(group, scores,
    // scaled)` makes scores of a group's products with the states, {size, 16}. They are `scaled` if they have been
    // multiplied by `key_inv_rms(group)` already, which is null where the group has none in common.
    template <typename KeyInvRms, typename Complete>
    void attend(const bfloat16* states, const float*, int size, const KeyInvRms&, const Complete& complete) const {
        for (int group = 0; group < groups; group += 2) {
            const bool both = group + 1 < groups;
            if (group)
                both ? score<false, true>(states, size, group) : score<false, false>(states, size, group);
            else
                both ? score<true, true>(states, size, group) : score<true, false>(states, size, group);
            for (int one = group; one <= group + both; one++) {
                complete(one, scores_of(one), false);
                weigh(one, size);
            }
            both ? add_states<true>(size, group) : add_states<false>(size, group);
        }
    }
};

}  // namespace readonce

#endif
