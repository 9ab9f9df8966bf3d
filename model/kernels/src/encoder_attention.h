// Attention of some of a chunk's queries to its keys and values, by tiles: blocks of keys that stay in the core's
// second cache go by for up to QUERY_TOKENS tokens' queries.
//
// Queries lie in groups: sixteen tokens of one head, a token a lane. Two groups, a pair, go over a block together. A
// pair's scores become weights while the products of the next keys are accumulated, and then while values are weighted
// by the pair before: the core does both at once. So weights cannot wait for the maximum of all scores: they are
// relative to the maximum among the tokens next to their own. Should a sum then exceed what a float safely holds, all
// is done again, relative to the maximum of all.

#pragma once

#include "encoder_layer.h"
#include "token_major.h"

#ifdef READONCE_AMX

namespace readonce {

constexpr int KEY_BLOCK = 288;     // keys: where the sliding window is 512, two blocks are all that 16 tokens see
constexpr int QUERY_TOKENS = 128;  // tokens whose sums stay in the cache while a global layer's keys go by
constexpr int WEIGHED_KEYS = 4;    // of one group, that become weights at a time

// The total of a token's weights is a float, and so is the weighted sum of its values. If no score is higher than the
// maximum that weights are relative to, the largest weight is 2^-60; if one is higher by up to 160, it is up to 2^100.
constexpr float MAX_OFFSET = 60, SAFE_TOTAL = 0x1p100f;

class EncoderAttention {
    struct KeyRange {
        int first = 0, end = 0;
    };

    struct QueryPair {                    // groups of the same 16 tokens, or of any tokens in a layer where all see all
        int one = 0, two = 0, token = 0;  // groups; the first token of group one
        const bfloat16 *queries_one = nullptr, *queries_two = nullptr;
    };

    struct KeyBlockGroup {  // pairs that go over the same keys; the range is a multiple of TILE_K
        std::vector<QueryPair> pairs;
        KeyRange keys;
    };

    struct Task {  // a pair over a block of keys
        QueryPair pair;
        KeyRange keys;
        bool is_first = false;
        bfloat16* weights = nullptr;  // {keys / 32, 2, 16, 16, 2}
    };

    static constexpr int SCORE_BLOCK = TILE_K * TILE;  // scores of 32 keys, of one group

    const Layer& layer;
    const EncoderChunk& chunk;
    const int first, tokens, dim = layer.head_dim;
    const int heads_of_key_head = layer.heads / layer.key_heads, groups = tokens / TILE * heads_of_key_head;
    const size_t query_size = (size_t)dim * TILE;  // numbers of a group's queries
    Workspace& workspace = Workspace::of_this_thread();
    float* const sums = workspace.value_sums.reserve((groups + 1) * query_size);  // one more: an odd group's second
    float* const maxima = workspace.score_maxima.reserve((size_t)(groups + 1) * TILE);
    float* const totals = workspace.weight_totals.reserve((size_t)(groups + 1) * TILE);
    float* const scores = workspace.key_scores.reserve((size_t)2 * KEY_BLOCK * TILE);
    bfloat16* const weights = workspace.key_weights.reserve((size_t)2 * 2 * KEY_BLOCK * TILE);  // of two tasks
    const bfloat16 *keys = nullptr, *values = nullptr;                                          // of a key head
    Task before;  // its weighted values are still to be added

    int token_of(int group) const { return first + group / heads_of_key_head * TILE; }

    // Where a group's queries lie. Groups are ordered by tokens, then by heads.
    size_t place(int key_head, int group) const {
        const int head = key_head * heads_of_key_head + group % heads_of_key_head;
        return ((size_t)(group / heads_of_key_head) * layer.heads + head) * query_size;
    }

    std::vector<KeyBlockGroup> block_groups_of(int key_head, const bfloat16* queries) const {
        const int together = layer.after < chunk.tokens ? heads_of_key_head : groups;
        std::vector<KeyBlockGroup> block_groups;
        for (int group = 0; group < groups; group += together) {
            const int end = group + together;
            const int64_t last_seen = (int64_t)token_of(end - 1) + TILE + layer.after;
            KeyBlockGroup block_group;
            block_group.keys = {std::max(0, token_of(group) - layer.before) / TILE_K * TILE_K,
                                round_up_k((int)std::min<int64_t>(chunk.tokens, last_seen))};
            for (int one = group; one < end; one += 2) {
                const int two = std::min(one + 1, end - 1);
                block_group.pairs.push_back({one, two > one ? two : groups, token_of(one),
                                             queries + place(key_head, one), queries + place(key_head, two)});
            }
            block_groups.push_back(block_group);
        }
        return block_groups;
    }

    // A pair's scores of 32 keys, {2, 32, 16}.
    template <typename Overlap>
    void score(const QueryPair& pair, int key, float* to, const Overlap& overlap) const {
        const bfloat16 *a = keys + (size_t)key * dim, *b_one = pair.queries_one, *b_two = pair.queries_two;
        zero_accumulators();
        for (int i = 0; i < dim; i += TILE_K, a += BF16_TILE, b_one += BF16_TILE, b_two += BF16_TILE) {
            multiply_add<StreamedOperand::A>(a, a + (size_t)TILE * dim, b_one, b_two);
            overlap();
        }
        store_accumulators(to, to + SCORE_BLOCK);
        compiler_barrier();
        mask(pair.token, key, to);
    }

    // Masks scores of 32 keys that a token may not attend to. token: the first lane's.
    void mask(int token, int key, float* scored) const {
        const int end = key + TILE_K, seen_from = token + TILE - 1 - layer.before, seen_to = token + layer.after;
        if (key >= seen_from && end <= std::min(seen_to + 1, chunk.tokens)) return;
        for (; key < end; key++, scored += TILE) {
            const I32x16 distance = key - token - (I32x16)lane_offsets(1);
            const auto seen = (distance >= -layer.before) & (distance <= layer.after) & (key < chunk.tokens ? -1 : 0);
            for (float* at : {scored, scored + SCORE_BLOCK}) store(at, seen ? load(at) : broadcast(MASKED_SCORE));
        }
    }

    // What a pair's weights are relative to: the maxima of its scores of some keys, and an offset.
    void find_maxima(const QueryPair& pair, const KeyRange& among) const {
        F32x16 most[2] = {broadcast(MASKED_SCORE), broadcast(MASKED_SCORE)};
        for (int key = among.first; key < among.end; key += TILE_K) {
            score(pair, key, scores, [] {});
            for (int group = 0; group < 2; group++)
                most[group] = max(most[group], max_of_lanes(scores + group * SCORE_BLOCK, TILE_K));
        }
        store(maxima + (size_t)pair.one * TILE, most[0] + MAX_OFFSET);
        store(maxima + (size_t)pair.two * TILE, most[1] + MAX_OFFSET);
    }

    void weigh(const float* from, const F32x16& max, float* total, bfloat16* to) const {
        F32x16 added = load(total);
        for (int row = 0; row < WEIGHED_KEYS; row += 2) {
            const F32x16 one = exp2(load(from + row * TILE) - max);
            const F32x16 two = exp2(load(from + (row + 1) * TILE) - max);
            store_vnni2(to + row * TILE, one, two);
            added += one + two;
        }
        store(total, added);
    }

    template <typename Overlap>
    void add_values(const Task& task, const Overlap& overlap) const {
        for (int i = 0; i < dim; i += 2 * TILE) {
            float* const one = sums + task.pair.one * query_size + (size_t)i * TILE;
            float* const two = sums + task.pair.two * query_size + (size_t)i * TILE;
            const bfloat16 *from = values + (size_t)task.keys.first * dim + (size_t)i * TILE_K, *weights = task.weights;
            task.is_first ? zero_accumulators() : load_accumulators(one, two);
            for (int key = task.keys.first; key < task.keys.end; key += TILE_K) {
                multiply_add<StreamedOperand::A>(from, from + BF16_TILE, weights, weights + SCORE_BLOCK);
                from += (size_t)TILE_K * dim;
                weights += 2 * SCORE_BLOCK;
                overlap();
            }
            store_accumulators(one, two);
        }
    }

    void run(const Task& task) {
        const size_t one = (size_t)task.pair.one * TILE, two = (size_t)task.pair.two * TILE;
        const float* from = scores;
        float* scored = scores;  // so far
        bfloat16* to = task.weights;
        const auto weigh_some = [&] {
            if (from == scored) return;
            const size_t group = (from - scores) / SCORE_BLOCK % 2 ? two : one;
            weigh(from, load(maxima + group), totals + group, to);
            from += WEIGHED_KEYS * TILE;
            to += WEIGHED_KEYS * TILE;
        };
        for (int key = task.keys.first; key < task.keys.end; key += TILE_K, scored += 2 * SCORE_BLOCK)
            score(task.pair, key, scored, weigh_some);
        finish(weigh_some);
        while (from < scored) weigh_some();
        before = task;
    }

    template <typename Overlap>
    void finish(const Overlap& overlap) {  // the task before
        if (before.weights) add_values(before, overlap);
        before = Task();
    }

    void run(const KeyBlockGroup& block_group) {
        for (int key = block_group.keys.first; key < block_group.keys.end; key += KEY_BLOCK)
            for (const QueryPair& pair : block_group.pairs) {
                bfloat16* const into = before.weights == weights ? weights + 2 * KEY_BLOCK * TILE : weights;
                run({pair,
                     {key, std::min(key + KEY_BLOCK, block_group.keys.end)},
                     key == block_group.keys.first,
                     into});
            }
    }

    // near_maxima: weights are relative to the maxima among the tokens next to a pair's own; else to those of all.
    void run(const std::vector<KeyBlockGroup>& block_groups, bool near_maxima) {
        std::fill_n(totals, groups * TILE, 0.0f);
        for (const KeyBlockGroup& block_group : block_groups) {
            for (const QueryPair& pair : block_group.pairs) {
                const int own = pair.token / TILE_K * TILE_K;
                find_maxima(pair, near_maxima ? KeyRange{own, own + TILE_K} : block_group.keys);
            }
            run(block_group);
        }
        finish([] {});
    }

    bool is_safe() const {
        return std::none_of(totals, totals + groups * TILE, [](float total) { return total > SAFE_TOTAL; });
    }

public:
    // Of up to QUERY_TOKENS tokens, a multiple of TILE, from `first` on.
    EncoderAttention(const Layer& layer, const EncoderChunk& chunk, int first, int tokens)
        : layer(layer), chunk(chunk), first(first), tokens(tokens) {}

    // queries {tokens / 16, heads, dim / 2, 16, 2}, scaled by log2(e) as well -> out of the same shape, with attended
    // values.
    void attend(const bfloat16* queries, bfloat16* out) {
        for (int key_head = 0; key_head < layer.key_heads; key_head++) {
            const size_t of_key_head = (size_t)key_head * round_up_k(chunk.tokens) * dim;
            keys = static_cast<const bfloat16*>(chunk.keys) + of_key_head;
            values = static_cast<const bfloat16*>(chunk.values) + of_key_head;
            const std::vector<KeyBlockGroup> block_groups = block_groups_of(key_head, queries);
            run(block_groups, true);
            if (!is_safe()) run(block_groups, false);
            for (int group = 0; group < groups; group++) {
                const float* sum = sums + group * query_size;
                const F32x16 factor = 1.0f / load(totals + (size_t)group * TILE);
                for (int i = 0; i < dim; i += 2, sum += 2 * TILE)
                    store_vnni2(out + place(key_head, group) + (size_t)i * TILE, load(sum) * factor,
                                load(sum + TILE) * factor);
            }
        }
    }
};

}  // namespace readonce

#endif
