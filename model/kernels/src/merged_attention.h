// Merged attention: one softmax over a sequence's own tokens and the document. `decoder/attention.py` and, for the
// absorbed form that is used here, `decoder/document_forms.py` have the mathematics.

#pragma once

#include "document_attention.h"
#include "layer_linear.h"

namespace readonce {

template <typename T>
class MergedAttention {
    const Layer& layer;
    const DocumentMemory& document;
    const LayerStep& step;
    const int tokens = step.sequences * step.new_tokens, hidden = layer.hidden, dim = layer.head_dim;
    const int group_size = layer.heads / layer.key_heads;  // query heads of a key head
    const int rows_of_key_head = tokens * group_size, query_rows = tokens * layer.heads;
    const int all_heads = layer.heads * dim;
    const int projected_size = all_heads + 2 * layer.key_heads * dim;  // queries, keys, values
    const QueryRowOrder order{group_size, tokens, layer.heads};
    DocumentAttention<T> over_document{layer, document, step, order};

    // Of all threads. {tokens, ...} or, where a row belongs to a query head, {query_rows, ...}.
    FloatArray projected = allocate_floats((size_t)tokens * projected_size),
               own_queries = allocate_floats((size_t)query_rows * dim),    // for the own keys: normed, rotated, scaled
        gained = allocate_floats((size_t)query_rows * dim),                // times the gain of the key norm
        absorbed = allocate_floats((size_t)(query_rows + TILE) * hidden),  // for states
        own_maxima = allocate_floats(query_rows), own_totals = allocate_floats(query_rows),
               own_sums = allocate_floats((size_t)query_rows * dim),  // of own values
        summed_states = allocate_floats((size_t)query_rows * hidden),
               document_values = allocate_floats((size_t)query_rows * dim),
               attended = allocate_floats((size_t)query_rows * dim);  // {tokens, heads, dim}

    static const T* matrix(const void* weights) { return static_cast<const T*>(weights); }

    T* cached(void* cache, int sequence, int key_head, int position) const {
        const size_t row = ((size_t)sequence * layer.key_heads + key_head) * step.capacity + position;
        return static_cast<T*>(cache) + row * dim;
    }

    void project(const float* normed, bool with_queries) {
        const auto into = [&](const void* weights, int size, int place) {
            const ThreadRange range(size, TILE);
            linear(matrix(weights), hidden, range.first, range.last, normed, tokens, &projected[place], projected_size);
        };
        if (with_queries) into(layer.q_proj, all_heads, 0);
        into(layer.k_proj, layer.key_heads * dim, all_heads);
        into(layer.v_proj, layer.key_heads * dim, all_heads + layer.key_heads * dim);
    }

    // Norms and rotates heads. Queries are kept for both kinds of keys; own keys and values go into the cache.
    void place_heads(bool with_queries) {
        const int skipped = with_queries ? 0 : layer.heads, each = layer.heads + 2 * layer.key_heads - skipped;
        const ThreadRange range(tokens * each, 1);
        auto normed = allocate_floats(dim);
        for (int item = range.first; item < range.last; item++) {
            const int token = item / each, head = skipped + item % each;
            const int key_head = (head - layer.heads) % layer.key_heads;
            const bool is_query = head < layer.heads, is_value = head >= layer.heads + layer.key_heads;
            float* from = &projected[(size_t)token * projected_size + (size_t)head * dim];
            if (!is_value) {
                rms_norm(from, is_query ? layer.q_norm : layer.k_norm, dim, layer.eps, normed.get());
                apply_rope(normed.get(), step.cos + (size_t)token * dim, step.sin + (size_t)token * dim, dim, from);
            }
            const size_t row = is_query ? (size_t)order.row_of(token, head) * dim : 0;
            T* to = is_query ? nullptr
                             : cached(is_value ? step.values : step.keys, token / step.new_tokens, key_head,
                                      step.past + token % step.new_tokens);
            for (int i = 0; i < dim; i += LANES) {
                if (!is_query) {
                    store(to + i, load(from + i));
                    continue;
                }
                const F32x16 scaled = load(from + i) * layer.scaling;
                store(&own_queries[row + i], scaled);
                store(&gained[row + i], scaled * load(layer.k_norm + i));
            }
        }
    }

    // W_k^T (g * q): this thread's columns of it.
    void absorb_queries() {
        const ThreadRange range(hidden, TILE_K);
        for (int row = 0; row < query_rows; row++)
            std::fill_n(&absorbed[(size_t)row * hidden + range.first], range.last - range.first, 0.0f);
        for (int head = 0; head < layer.key_heads; head++) {
            const size_t first = (size_t)head * rows_of_key_head;
            const T* keys = matrix(layer.k_proj) + (size_t)head * dim * hidden;
            add_weighted_sum(&gained[first * dim], dim, rows_of_key_head, keys, dim, hidden, range.first, range.last,
                             &absorbed[first * hidden]);
        }
    }

    // The query heads of a key head attend for one token together: they see the same own keys.
    void attend_to_own() {
        const ThreadRange range(query_rows / group_size, 1);
        const int stride = round_up_tile(step.past + step.new_tokens);
        auto weights = allocate_floats((size_t)group_size * stride);
        for (int row = range.first * group_size; row < range.last * group_size; row += group_size) {
            const int key_head = order.key_head_of(row), sequence = order.token_of(row) / step.new_tokens;
            const int end = step.past + order.token_of(row) % step.new_tokens + 1;
            const int in_window = end - 1 - layer.before;
            const int first = std::max<int64_t>({0, in_window, step.starts[sequence]});
            const int size = std::max(end - first, 0);
            float* to = &own_sums[(size_t)row * dim];
            std::fill_n(to, (size_t)group_size * dim, 0.0f);
            simd_linear(cached(step.keys, sequence, key_head, first), dim, 0, size, &own_queries[(size_t)row * dim],
                        group_size, weights.get(), stride);
            for (int head = 0; head < group_size; head++) weigh_own(row + head, size, &weights[(size_t)head * stride]);
            simd_add_weighted_sum(weights.get(), stride, group_size, cached(step.values, sequence, key_head, first),
                                  size, dim, 0, dim, to);
        }
    }

    // Scores -> weights, relative to their maximum. A token of the padding before a sequence has no own keys.
    void weigh_own(int row, int size, float* scores) {
        std::fill(scores + size, scores + round_up_tile(size), MASKED_SCORE);
        F32x16 most = broadcast(EMPTY_MAX), total = {};
        for (int key = 0; key < size; key += LANES) most = max(most, load(scores + key));
        const float now = own_maxima[row] = reduce_max(most);
        for (int key = 0; key < size; key += LANES) {
            const F32x16 weights = exp(load(scores + key) - now);
            store(scores + key, weights);
            total += weights;
        }
        own_totals[row] = reduce_add(total);
    }

    // The maximum of a row's scores, and its weights' total relative to it: of own tokens and all threads' ranges.
    float max_of(int row) const {
        float most = own_maxima[row];
        for (int thread = 0; thread < omp_get_num_threads(); thread++)
            most = std::max(most, over_document.max_of(thread, row));
        return most;
    }

    float total_of(int row, float max) const {
        float total = own_totals[row] * std::exp(own_maxima[row] - max);
        for (int thread = 0; thread < omp_get_num_threads(); thread++)
            total += over_document.total_of(thread, row) * std::exp(over_document.max_of(thread, row) - max);
        return total;
    }

    // The threads' sums of states become one: this thread's columns of it.
    void merge_threads() {
        const ThreadRange range(hidden, TILE_K);
        for (int row = 0; row < query_rows; row++) {
            const float max = max_of(row);
            float* to = &summed_states[(size_t)row * hidden];
            std::fill(to + range.first, to + range.last, 0.0f);
            for (int thread = 0; thread < omp_get_num_threads(); thread++) {
                const float weight = std::exp(over_document.max_of(thread, row) - max);
                const float* from = over_document.sums_of(thread) + (size_t)row * hidden;
                add_weighted_sum(&weight, 0, 1, from, 1, hidden, range.first, range.last, to);
            }
        }
    }

    // Sums of states become sums of values, to which those of own values are added: this thread's columns of a head.
    void merge_own() {
        const ThreadRange range(dim, TILE);
        for (int head = 0; head < layer.key_heads; head++) {
            const size_t first = (size_t)head * rows_of_key_head;
            linear(matrix(layer.v_proj) + (size_t)head * dim * hidden, hidden, range.first, range.last,
                   &summed_states[first * hidden], rows_of_key_head, &document_values[first * dim], dim);
        }
        for (int token = 0; token < tokens; token++)
            for (int head = 0; head < layer.heads; head++) {
                const int row = order.row_of(token, head);
                const float max = max_of(row), total = total_of(row, max), own = std::exp(own_maxima[row] - max);
                const float *of_document = &document_values[(size_t)row * dim], *of_own = &own_sums[(size_t)row * dim];
                float* to = &attended[(size_t)token * all_heads + (size_t)head * dim];
                for (int i = range.first; i < range.last; i++) to[i] = (of_document[i] + of_own[i] * own) / total;
            }
    }

public:
    MergedAttention(const Layer& layer, const DocumentMemory& document, const LayerStep& step)
        : layer(layer), document(document), step(step) {}

    // Puts the keys and values of normed {N * S, hidden}, of which each thread has its own, into the cache;
    // with_queries makes the queries as well. Called by every thread.
    void extend_cache(const float* normed, bool with_queries = false) {
        project(normed, with_queries);
#pragma omp barrier
        place_heads(with_queries);
#pragma omp barrier
    }

    // normed {N * S, hidden}, of which each thread has its own -> out {N * S, hidden}, of all threads: complete behind
    // a barrier. Called by every thread.
    void forward(const float* normed, float* out) {
        extend_cache(normed, true);
        absorb_queries();
        attend_to_own();
#pragma omp barrier
        over_document.attend(absorbed.get());
#pragma omp barrier
        merge_threads();
        if (step.attention)
            over_document.write_attention([this](int row) { return max_of(row); },
                                          [this](int row, float max) { return total_of(row, max); });
#pragma omp barrier
        merge_own();
#pragma omp barrier
        const ThreadRange range(hidden, TILE);
        layer_linear<T>(layer, layer.o_proj, all_heads, range.first, range.last, attended.get(), tokens, out, hidden);
    }
};

}  // namespace readonce
