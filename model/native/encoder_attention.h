// Attention of some queries of a window over its keys and values, as tiles: a running softmax over blocks of keys that
// stay in the core's second cache, for up to STEP tokens' queries at a time.
//
// Queries lie in groups: sixteen tokens of one head, a token a lane. Two groups go over a block together, and while
// their scores are multiplied, the ones of the two before become weights: the core does both at once.

#pragma once

#include "columns.h"
#include "encoder_layer.h"

#ifdef HAS_TILES

constexpr int KEYS = 576;  // of a block: a local layer's sixteen tokens see so many at most, where the window is 512
constexpr int STEP = 128;  // tokens whose sums stay in the cache while a global layer's keys go by

class EncoderAttention {
    struct Job {  // two groups (of this step) over a block of keys
        int one = 0, two = 0, block = 0, keys = 0;
        float* scores = nullptr;  // (2, KEYS, 16)
    };

    const Layer& layer;
    const Window& window;
    const int dim = layer.head_dim, groups_of_head = layer.heads / layer.key_heads;
    const size_t query_size = (size_t)dim * TILE;  // numbers of a group of queries
    const size_t most_groups = (size_t)STEP / TILE * groups_of_head;
    float* const sums = scratch<float, 4>(most_groups * query_size);
    float* const peaks = scratch<float, 5>(most_groups * TILE);
    float* const totals = scratch<float, 6>(most_groups * TILE);
    float* const scores = scratch<float, 7>((size_t)4 * KEYS * TILE);         // of two jobs
    bfloat16* const weights = scratch<bfloat16, 8>((size_t)2 * KEYS * TILE);  // of a job, (2, KEYS / 2, 16, 2)
    const bfloat16 *keys = nullptr, *values = nullptr;                        // of a key head
    Job before;                                                               // still without weights, if it has keys

    template <typename Meanwhile>
    void score(const Job& job, const bfloat16* one, const bfloat16* two, const Meanwhile& meanwhile) const {
        for (int key = 0; key < job.keys; key += DEPTH) {
            const bfloat16* const rows = keys + (size_t)(job.block + key) * dim;
            clear_sums();
            for (int i = 0; i < dim; i += DEPTH) {
                const bfloat16* const from = rows + (size_t)TILE * i;
                add_products(from, from + (size_t)TILE * dim, one + (size_t)TILE * i, two + (size_t)TILE * i);
                meanwhile();
            }
            float* const to = job.scores + (size_t)key * TILE;
            store_sums(to, to + KEYS * TILE);
        }
    }

    // Scores of keys that a token does not see are masked. token: the first lane's.
    void hide(const Job& job, float* scored, int token) const {
        const int last = token + TILE - 1, sees_from = last - layer.behind, sees_to = token + layer.ahead;
        for (int key = job.block, end = key + job.keys; key < end; key++) {
            if (key >= sees_from && key <= sees_to && key < window.tokens) {  // all lanes see it, and those up to here:
                key = std::min({sees_to, window.tokens - 1, end - 1});
                continue;
            }
            const Integers distance = key - token - (Integers)lanes_apart(1);
            const auto seen = (distance >= -layer.behind) & (distance <= layer.ahead) & (key < window.tokens ? -1 : 0);
            float* const at = scored + (size_t)(key - job.block) * TILE;
            store(at, seen ? load(at) : all(MASKED));
        }
    }

    // Rows [first, end) of both groups, one behind the other: `some(group, row, end)` for those of each.
    template <typename Some>
    static void of_each_group(const Job& job, int first, int end, const Some& some) {
        if (first < job.keys) some(0, first, std::min(end, job.keys));
        if (end > job.keys) some(1, std::max(first - job.keys, 0), end - job.keys);
    }

    void find_peaks(const Job& job, Lanes (&found)[2], int first, int end) const {
        of_each_group(job, first, end, [&](int group, int row, int last) {
            Lanes most = found[group];
            for (const float* from = job.scores + (size_t)(group * KEYS + row) * TILE; row < last; row++, from += TILE)
                most = (Lanes)_mm512_max_ps((__m512)most, (__m512)load(from));
            found[group] = most;
        });
    }

    // What was summed so far is made relative to the new peaks.
    void raise_peaks(const Job& job, const Lanes (&found)[2]) const {
        for (int group = job.one; group <= job.two; group++) {
            float *const peak = peaks + (size_t)group * TILE, *const total = totals + (size_t)group * TILE;
            const Lanes old = load(peak), most = found[group - job.one] > old ? found[group - job.one] : old;
            if (!_mm512_cmp_ps_mask((__m512)most, (__m512)old, _CMP_GT_OQ)) continue;
            const Lanes shrink = power_of_two(old - most);
            float* const sum = sums + group * query_size;
            for (int i = 0; i < dim; i++) store(sum + (size_t)i * TILE, load(sum + (size_t)i * TILE) * shrink);
            store(total, load(total) * shrink);
            store(peak, most);
        }
    }

    void weigh(const Job& job, int first, int end) const {  // even rows
        of_each_group(job, first, end, [&](int group, int row, int last) {
            const size_t place = (size_t)(group ? job.two : job.one) * TILE;
            const Lanes peak = load(peaks + place);
            Lanes total = load(totals + place);
            for (; row < last; row += 2) {
                const size_t at = (size_t)(group * KEYS + row) * TILE;
                const Lanes one = power_of_two(load(job.scores + at) - peak);
                const Lanes two = power_of_two(load(job.scores + at + TILE) - peak);
                store_pair(weights + at, one, two);
                total += one + two;
            }
            store(totals + place, total);
        });
    }

    template <typename Meanwhile>
    void add_values(const Job& job, const Meanwhile& meanwhile) const {
        const bfloat16* const second = weights + (job.one == job.two ? 0 : KEYS * TILE);
        for (int i = 0; i < dim; i += 2 * TILE) {
            float *const to = sums + job.one * query_size + (size_t)i * TILE;
            float *const next = sums + job.two * query_size + (size_t)i * TILE;
            load_sums(to, next);
            for (int key = 0; key < job.keys; key += DEPTH) {
                const bfloat16* const from = values + (size_t)(job.block + key) * dim + (size_t)i * DEPTH;
                add_products(from, from + TILE_SIZE, weights + (size_t)key * TILE, second + (size_t)key * TILE);
                meanwhile();
            }
            store_sums(to, next);
        }
    }

    int steps_of(const Job& job) const { return job.keys / DEPTH * (dim / DEPTH); }

    static int groups_of(const Job& job) { return job.one == job.two ? 1 : 2; }

    void finish() {  // the job before
        if (!before.keys) return;
        weigh(before, 0, groups_of(before) * before.keys);
        add_values(before, [] {});
        before = Job();
    }

    // token: the first of each of the two groups.
    void run(const Job& job, const bfloat16* one, const bfloat16* two, const int (&token)[2]) {
        const int rows = groups_of(job) * job.keys, rows_before = groups_of(before) * before.keys;
        Shares to_weigh(rows_before, steps_of(job)), to_search(rows, before.keys ? steps_of(before) : 1);
        score(job, one, two, [&] { to_weigh.next([&](int row, int end) { weigh(before, row, end); }); });
        for (int group = 0; group < groups_of(job); group++)
            hide(job, job.scores + (size_t)group * KEYS * TILE, token[group]);
        Lanes found[2] = {all(MASKED), all(MASKED)};
        const auto search = [&](int row, int end) { find_peaks(job, found, row, end); };
        if (before.keys) add_values(before, [&] { to_search.next(search); });
        else to_search.next(search);
        raise_peaks(job, found);
        before = job;
    }

public:
    EncoderAttention(const Layer& layer, const Window& window) : layer(layer), window(window) {}

    // queries (groups of tokens, heads, dim / 2, 16, 2), scaled by log2(e), too, of up to STEP tokens from `first` on;
    // `out` has the same shape, values instead.
    void attend(const bfloat16* queries, int first, int tokens, bfloat16* out) {
        const int groups = tokens / TILE * groups_of_head;  // ordered by token, then by head
        const int together = layer.ahead < window.tokens ? groups_of_head : groups;  // that go over the same keys
        for (int key_head = 0; key_head < layer.key_heads; key_head++) {
            const size_t of_key_head = (size_t)key_head * whole_depths(window.tokens) * dim;
            keys = static_cast<const bfloat16*>(window.keys) + of_key_head;
            values = static_cast<const bfloat16*>(window.values) + of_key_head;
            const auto token_of = [&](int group) { return first + group / groups_of_head * TILE; };
            const auto place = [&](int group) {
                const int head = key_head * groups_of_head + group % groups_of_head;
                return ((size_t)(group / groups_of_head) * layer.heads + head) * query_size;
            };
            std::fill_n(sums, groups * query_size, 0.0f);
            std::fill_n(peaks, groups * TILE, NOTHING);
            std::fill_n(totals, groups * TILE, 0.0f);
            for (int some = 0; some < groups; some += together) {
                const int last = token_of(some + together - 1) + TILE - 1;
                const int from = std::max(0, token_of(some) - layer.behind) / DEPTH * DEPTH;
                const int end = (int)std::min<int64_t>(window.tokens, (int64_t)last + layer.ahead + 1);
                for (int block = from; block < end; block += KEYS)
                    for (int one = some; one < some + together; one += 2) {
                        const int two = std::min(one + 1, some + together - 1);
                        float* const into = before.scores == scores ? scores + 2 * KEYS * TILE : scores;
                        run({one, two, block, whole_depths(std::min(KEYS, end - block)), into}, queries + place(one),
                            queries + place(two), {token_of(one), token_of(two)});
                    }
            }
            finish();
            for (int group = 0; group < groups; group++) {
                const float* sum = sums + group * query_size;
                const Lanes total = load(totals + (size_t)group * TILE), part = 1.0f / (total > 0.0f ? total : all(1));
                for (int i = 0; i < dim; i += 2, sum += 2 * TILE)
                    store_pair(out + place(group) + (size_t)i * TILE, load(sum) * part, load(sum + TILE) * part);
            }
        }
    }
};

#endif
