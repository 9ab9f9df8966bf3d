// Attention to the document's states in int8, by tiles. A state is an int8 times its token's scale and its channel's:
// channel scales go into the queries and into the sums, token scales into scores and weights.
//
// Queries are split into int8 halves (int8_tiles.h). Weights are unsigned bytes, relative to the largest of their
// block: so a block whose weights are all small is summed up as exactly as any.

#pragma once

#include "document_softmax.h"
#include "int8_tiles.h"

#ifdef READONCE_AMX

namespace readonce {

class DocumentInt8Tiles : DocumentSoftmax {
public:
    using State = int8_t;
    static constexpr int STEP_TOKENS = INT8_TILE_K;  // tokens that are summed up in one step
    // Tokens. A smaller block's column panels stay in a nearer cache; a larger one adds to the sums less often.
    const int block = groups > 1 ? 256 : 128;

    static Buffer<State>& padded_states() { return Workspace::of_this_thread().last_int8_states; }

private:
    static constexpr int SCORED_TOKENS = 2 * TILE;  // at a time: so many stay in the core's first cache
    static constexpr int SCORED_GROUPS = 4;         // that they are scored for before the next ones
    static constexpr float MAX_WEIGHT = 254;        // with half a unit carried over, it is still a byte when rounded
    const int panel_size = INT8_TILE_K * block;     // numbers of a column panel: 64 channels of a block's states
    const float* const channel_scales;
    const SplitInt16 queries;
    Workspace& workspace = Workspace::of_this_thread();
    float* const scores = workspace.document_scores.reserve((size_t)SCORED_GROUPS * block * TILE);
    uint8_t* const weights = workspace.document_int8_weights.reserve((size_t)groups * block * TILE);
    float* const weight_scales = workspace.document_weight_scales.reserve((size_t)groups * TILE);
    int8_t* const packed = workspace.packed_int8_states.reserve(2 * panel_size);

    uint8_t* weights_of(int group, int token) const { return weights + ((size_t)group * block + token) * TILE; }

    float* scores_of(int group) const { return scores + (size_t)(group % SCORED_GROUPS) * block * TILE; }

    using Products = float[2][SCORED_TOKENS * TILE];  // of a group's first eight rows, and of the others

    template <bool BOTH>  // whether there are others
    void score_tokens(const int8_t* states, const float* token_scales, const float* key_inv_rms, int token, int group,
                      Products& products) const {
        const int8_t *const one = queries.group(2 * group), *const two = one + (BOTH ? (size_t)TILE * hidden : 0);
        const F32x16 scale = queries.scales_of(2 * group);
        float* const to = scores_of(group) + (size_t)token * TILE;
        zero_accumulators();
        for (int i = 0; i < hidden; i += INT8_TILE_K)
            multiply_add<true, BOTH>(states + i, states + (size_t)TILE * hidden + i, one + (size_t)i * TILE,
                                     two + (size_t)i * TILE, hidden);
        store_accumulators<BOTH>(products[0], products[1]);
        for (int n = 0; n < SCORED_TOKENS; n++) {
            const float of_token = token_scales[token + n] * (key_inv_rms ? key_inv_rms[token + n] : 1);
            store(to + n * TILE, join_halves(products[0] + n * TILE, products[1] + n * TILE) * (scale * of_token));
        }
    }

    // A block's scores for groups [first, last). key_inv_rms: of each of them, where it is to be multiplied in.
    void score(const int8_t* states, const float* token_scales, const float* const* key_inv_rms, int size, int first,
               int last) const {
        alignas(64) Products products = {};
        for (int token = 0; token < size; token += SCORED_TOKENS, states += (size_t)SCORED_TOKENS * hidden)
            for (int group = first; group < last; group++) {
                const float* const of_keys = key_inv_rms[group - first];
                group* TILE + SPLIT_ROWS < query_rows
                    ? score_tokens<true>(states, token_scales, of_keys, token, group, products)
                    : score_tokens<false>(states, token_scales, of_keys, token, group, products);
            }
    }

    // Scores of a group -> its weights as bytes. What rounding leaves over is carried to the token four on: otherwise
    // many small weights would all become zero.
    void weigh(const float* token_scales, float largest_scale, int size, int group) const {
        const float* const from_scores = scores_of(group);
        const F32x16 of_block = max_of_lanes(from_scores, size), now = raise_max(group, of_block);
        const float unit = MAX_WEIGHT / largest_scale;
        F32x16 total = {}, carried[4] = {};
        for (int token = 0; token < size; token += STEP_TOKENS) {
            U32x16 fours[TILE] = {};  // the bytes of four tokens each
            for (int n = 0; n < STEP_TOKENS; n++) {
                const int at = token + n;
                const F32x16 weight = exp2((load(from_scores + (size_t)at * TILE) - of_block) * LOG2_E);
                const F32x16 exact = weight * (token_scales[at] * unit) + carried[n % 4];
                const I32x16 byte = round_to_int(exact);
                carried[n % 4] = exact - __builtin_convertvector(byte, F32x16);
                fours[n / 4] |= (U32x16)byte << n % 4 * 8;
                total += weight;
            }
            transpose(fours, weights_of(group, token));
        }
        const F32x16 shrink = exp2((of_block - now) * LOG2_E);
        add_total(group, total * shrink);
        store(weight_scales + group * TILE, shrink / unit);
    }

    // sums += weights times 32 channels of the states, of two groups or of one.
    template <bool BOTH, typename Overlap>
    void add_states(int size, int group, int channel, const int8_t* packed, const Overlap& overlap) const {
        alignas(64) float products[2][2][TILE][TILE];  // {16 channels each, group}
        zero_accumulators();
        for (int token = 0; token < size; token += STEP_TOKENS) {
            const int8_t* const from = packed + token * TILE;
            multiply_add<BOTH>(weights_of(group, token), weights_of(group + BOTH, token), from, from + block * TILE);
            overlap();
        }
        store_accumulators(products[0][0][0], products[1][0][0]);
        const int end = std::min((group + 1 + BOTH) * TILE, query_rows);
        const F32x16 one = load(channel_scales + channel), two = load(channel_scales + channel + TILE);
        float* to = sums + (size_t)group * TILE * hidden + channel;
        for (int row = group * TILE; row < end; row++, to += hidden) {
            const int of_group = row / TILE - group, of_row = row % TILE;
            const F32x16 scale = broadcast(weight_scales[row]);
            store(to, load(to) + load_int_sums(products[0][of_group][of_row]) * (one * scale));
            store(to + TILE, load(to + TILE) + load_int_sums(products[1][of_group][of_row]) * (two * scale));
        }
    }

    // Packs a column panel of a block's states, {tokens, 64} to {4, tokens / 4, 16, 4}, some tokens at a time; those of
    // the next block are prefetched.
    class PanelPacking {
        const int8_t* from;
        int8_t* to;
        const int hidden, block;
        int left;

    public:
        PanelPacking(const int8_t* states, int hidden, int size, int block, int8_t* packed)
            : from(states), to(packed), hidden(hidden), block(block), left(size) {}

        void pack(int tokens) {
            for (; tokens > 0 && left > 0; tokens -= 4, left -= 4, from += (size_t)4 * hidden, to += 4 * TILE) {
                for (int n = 0; n < 4; n++) _mm_prefetch(from + (size_t)(block + n) * hidden, _MM_HINT_T1);
                pack_vnni4(from, hidden, to, block * TILE);
            }
        }
    };

    // sums += weights times states, of all groups. While the products of a column panel are accumulated, the next one
    // is packed.
    void add_all(const int8_t* states, int size) const {
        const auto panel_of = [&](int channel) { return packed + channel / INT8_TILE_K % 2 * panel_size; };
        const int steps = (groups + 1) / 2 * 2 * (size / STEP_TOKENS), each = (size + steps - 1) / steps;
        PanelPacking(states, hidden, size, block, packed).pack(size);
        for (int channel = 0; channel < hidden; channel += INT8_TILE_K) {
            const int next = channel + INT8_TILE_K;
            PanelPacking packing(states + next, hidden, next < hidden ? size : 0, block, panel_of(next));
            const auto overlap = [&] { packing.pack(each); };
            for (int group = 0; group < groups; group += 2)
                for (int part = 0; part < INT8_TILE_K; part += 2 * TILE) {
                    const int8_t* const from = panel_of(channel) + part * block;
                    group + 1 < groups ? add_states<true>(size, group, channel + part, from, overlap)
                                       : add_states<false>(size, group, channel + part, from, overlap);
                }
        }
    }

public:
    DocumentInt8Tiles(const float* absorbed, int query_rows, int hidden, const float* channel_scales, float* sums,
                      float* maxima, float* totals)
        : DocumentSoftmax(query_rows, hidden, sums, maxima, totals),
          channel_scales(channel_scales),
          queries(absorbed, query_rows, hidden, channel_scales) {}

    // As `DocumentTiles::attend`.
    template <typename KeyInvRms, typename Complete>
    void attend(const int8_t* states, const float* token_scales, int size, const KeyInvRms& key_inv_rms,
                const Complete& complete) const {
        const float largest_scale = reduce_max(max_of_lanes(token_scales, size / LANES));
        for (int first = 0; first < groups; first += SCORED_GROUPS) {
            const int last = std::min(first + SCORED_GROUPS, groups);
            const float* of_keys[SCORED_GROUPS] = {};
            for (int group = first; group < last; group++) of_keys[group - first] = key_inv_rms(group);
            score(states, token_scales, of_keys, size, first, last);
            for (int group = first; group < last; group++) {
                complete(group, scores_of(group), of_keys[group - first] != nullptr);
                weigh(token_scales, largest_scale, size, group);
            }
        }
        add_all(states, size);
    }
};

}  // namespace readonce

#endif
