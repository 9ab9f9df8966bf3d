// Attention of some queries of a window over its keys and values, as tiles: blocks of keys that stay in the core's
// second cache go by for up to STEP tokens' queries.
//
// Queries lie in groups: sixteen tokens of one head, a token a lane. Two groups go over a block together. Their scores
// become weights while the next keys are multiplied, and then the values of the two groups before: the core does both
// at once. So weights cannot wait for the highest score: they are relative to the highest among the tokens beside their
// own. Should sums then be more than a float safely holds, all is done again, relative to the highest of all.

#pragma once

#include "columns.h"
#include "encoder_layer.h"

#ifdef HAS_TILES

constexpr int KEYS = 288;  // of a block: a local layer's sixteen tokens see two, where the window is 512
constexpr int STEP = 128;  // tokens whose sums stay in the cache while a global layer's keys go by
constexpr int SOME = 4;    // keys that are weighed at a time, of one group

// The sum of a token's weights is a float, and so is that of its values times them: where no other score is as high as
// that of its neighbours, 2^-60 at least, and up to 2^100 where others are higher, by up to 160.
constexpr float LOWERED = 60, SAFE = 0x1p100f;

class EncoderAttention {
    struct Span {
        int first = 0, end = 0;
    };

    struct Pair {  // of groups of the same tokens, or of a layer where all see all
        int one = 0, two = 0, token = 0;
        const bfloat16 *of_one = nullptr, *of_two = nullptr;  // queries
    };

    struct Company {  // pairs that go over the same keys, whole depths of them
        std::vector<Pair> pairs;
        Span keys;
    };

    struct Job {  // a pair over a block of keys
        Pair pair;
        Span keys;
        bool is_first = false;
        bfloat16* weights = nullptr;  // (keys / 32, 2, 16, 16, 2)
    };

    static constexpr int STRIP = DEPTH * TILE;  // scores of 32 keys, of one group

    const Layer& layer;
    const Window& window;
    const int first, tokens, dim = layer.head_dim;
    const int groups_of_head = layer.heads / layer.key_heads, groups = tokens / TILE * groups_of_head;
    const size_t query_size = (size_t)dim * TILE;                                // numbers of a group of queries
    float* const sums = scratch<float, 4>((groups + 1) * query_size);            // one more: an odd one's second
    float* const peaks = scratch<float, 5>((size_t)(groups + 1) * TILE);
    float* const totals = scratch<float, 6>((size_t)(groups + 1) * TILE);
    float* const scores = scratch<float, 7>((size_t)2 * KEYS * TILE);             // (keys / 32, 2, 32, 16)
    bfloat16* const weights = scratch<bfloat16, 8>((size_t)2 * 2 * KEYS * TILE);  // of two jobs
    const bfloat16 *keys = nullptr, *values = nullptr;                            // of a key head
    Job before;                                                                   // its values are still to be added

    int token_of(int group) const { return first + group / groups_of_head * TILE; }

    // Where a group's queries lie. Groups are ordered by token, then by head.
    size_t place(int key_head, int group) const {
        const int head = key_head * groups_of_head + group % groups_of_head;
        return ((size_t)(group / groups_of_head) * layer.heads + head) * query_size;
    }

    std::vector<Company> companies_of(int key_head, const bfloat16* queries) const {
        const int together = layer.ahead < window.tokens ? groups_of_head : groups;
        std::vector<Company> companies;
        for (int some = 0; some < groups; some += together) {
            const int end = some + together;
            const int64_t sees_to = (int64_t)token_of(end - 1) + TILE + layer.ahead;
            Company company;
            company.keys = {std::max(0, token_of(some) - layer.behind) / DEPTH * DEPTH,
                            whole_depths((int)std::min<int64_t>(window.tokens, sees_to))};
            for (int one = some; one < end; one += 2) {
                const int two = std::min(one + 1, end - 1);
                company.pairs.push_back({one, two > one ? two : groups, token_of(one),
                                         queries + place(key_head, one), queries + place(key_head, two)});
            }
            companies.push_back(company);
        }
        return companies;
    }

    // A pair's scores of 32 keys, (2, 32, 16).
    template <typename Meanwhile>
    void score(const Pair& pair, int key, float* to, const Meanwhile& meanwhile) const {
        const bfloat16 *rows = keys + (size_t)key * dim, *one = pair.of_one, *two = pair.of_two;
        clear_sums();
        for (int i = 0; i < dim; i += DEPTH, rows += TILE_SIZE, one += TILE_SIZE, two += TILE_SIZE) {
            add_products<GoesBy::ROWS>(rows, rows + (size_t)TILE * dim, one, two);
            meanwhile();
        }
        store_sums(to, to + STRIP);
        in_order();
        hide(pair.token, key, to);
    }

    // Scores of keys that a token does not see are masked. token: the first lane's.
    void hide(int token, int key, float* scored) const {
        const int end = key + DEPTH, sees_from = token + TILE - 1 - layer.behind, sees_to = token + layer.ahead;
        if (key >= sees_from && end <= std::min(sees_to + 1, window.tokens)) return;
        for (; key < end; key++, scored += TILE) {
            const Integers distance = key - token - (Integers)lanes_apart(1);
            const auto seen = (distance >= -layer.behind) & (distance <= layer.ahead) & (key < window.tokens ? -1 : 0);
            for (float* at : {scored, scored + STRIP}) store(at, seen ? load(at) : all(MASKED));
        }
    }

    void find_peaks(const Pair& pair, const Span& among) const {
        Lanes highest[2] = {all(MASKED), all(MASKED)};
        for (int key = among.first; key < among.end; key += DEPTH) {
            score(pair, key, scores, [] {});
            for (int group = 0; group < 2; group++)
                highest[group] = larger(highest[group], highest_of(scores + group * STRIP, DEPTH));
        }
        store(peaks + (size_t)pair.one * TILE, highest[0] + LOWERED);
        store(peaks + (size_t)pair.two * TILE, highest[1] + LOWERED);
    }

    void weigh(const float* from, const Lanes& peak, float* total, bfloat16* to) const {
        Lanes added = load(total);
        for (int row = 0; row < SOME; row += 2) {
            const Lanes one = power_of_two(load(from + row * TILE) - peak);
            const Lanes two = power_of_two(load(from + (row + 1) * TILE) - peak);
            store_pair(to + row * TILE, one, two);
            added += one + two;
        }
        store(total, added);
    }

    template <typename Meanwhile>
    void add_values(const Job& job, const Meanwhile& meanwhile) const {
        for (int i = 0; i < dim; i += 2 * TILE) {
            float *const one = sums + job.pair.one * query_size + (size_t)i * TILE;
            float *const two = sums + job.pair.two * query_size + (size_t)i * TILE;
            const bfloat16 *from = values + (size_t)job.keys.first * dim + (size_t)i * DEPTH, *weights = job.weights;
            job.is_first ? clear_sums() : load_sums(one, two);
            for (int key = job.keys.first; key < job.keys.end; key += DEPTH) {
                add_products<GoesBy::ROWS>(from, from + TILE_SIZE, weights, weights + STRIP);
                from += (size_t)DEPTH * dim;
                weights += 2 * STRIP;
                meanwhile();
            }
            store_sums(one, two);
        }
    }

    void run(const Job& job) {
        const size_t one = (size_t)job.pair.one * TILE, two = (size_t)job.pair.two * TILE;
        const float* from = scores;
        float* scored = scores;  // so far
        bfloat16* to = job.weights;
        const auto weigh_some = [&] {
            if (from == scored) return;
            const size_t group = (from - scores) / STRIP % 2 ? two : one;
            weigh(from, load(peaks + group), totals + group, to);
            from += SOME * TILE;
            to += SOME * TILE;
        };
        for (int key = job.keys.first; key < job.keys.end; key += DEPTH, scored += 2 * STRIP)
            score(job.pair, key, scored, weigh_some);
        finish(weigh_some);
        while (from < scored) weigh_some();
        before = job;
    }

    template <typename Meanwhile>
    void finish(const Meanwhile& meanwhile) {  // the job before
        if (before.weights) add_values(before, meanwhile);
        before = Job();
    }

    void run(const Company& company) {
        for (int key = company.keys.first; key < company.keys.end; key += KEYS)
            for (const Pair& pair : company.pairs) {
                bfloat16* const into = before.weights == weights ? weights + 2 * KEYS * TILE : weights;
                run({pair, {key, std::min(key + KEYS, company.keys.end)}, key == company.keys.first, into});
            }
    }

    void run(const std::vector<Company>& companies, bool own_peaks) {
        std::fill_n(totals, groups * TILE, 0.0f);
        for (const Company& company : companies) {
            for (const Pair& pair : company.pairs) {
                const int own = pair.token / DEPTH * DEPTH;
                find_peaks(pair, own_peaks ? Span{own, own + DEPTH} : company.keys);
            }
            run(company);
        }
        finish([] {});
    }

    bool is_safe() const {
        return std::none_of(totals, totals + groups * TILE, [](float total) { return total > SAFE; });
    }

public:
    // Of up to STEP tokens, whole tiles of them, from `first` on.
    EncoderAttention(const Layer& layer, const Window& window, int first, int tokens)
        : layer(layer), window(window), first(first), tokens(tokens) {}

    // queries (groups of tokens, heads, dim / 2, 16, 2), scaled by log2(e), too; `out` has the same shape, values
    // instead.
    void attend(const bfloat16* queries, bfloat16* out) {
        for (int key_head = 0; key_head < layer.key_heads; key_head++) {
            const size_t of_key_head = (size_t)key_head * whole_depths(window.tokens) * dim;
            keys = static_cast<const bfloat16*>(window.keys) + of_key_head;
            values = static_cast<const bfloat16*>(window.values) + of_key_head;
            const std::vector<Company> companies = companies_of(key_head, queries);
            run(companies, true);
            if (!is_safe()) run(companies, false);
            for (int group = 0; group < groups; group++) {
                const float* sum = sums + group * query_size;
                const Lanes part = 1.0f / load(totals + (size_t)group * TILE);
                for (int i = 0; i < dim; i += 2, sum += 2 * TILE)
                    store_pair(out + place(key_head, group) + (size_t)i * TILE, load(sum) * part,
                               load(sum + TILE) * part);
            }
        }
    }
};

#endif
