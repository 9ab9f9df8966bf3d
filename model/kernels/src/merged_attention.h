// Merged attention of some new tokens of each of N answers, over their own tokens and the document: `attention.py` and
// `document_forms.py` (absorbed) have the mathematics.

#pragma once

#include "document_attention.h"
#include "layer_product.h"

template <typename T>
class MergedAttention {
    const Layer& layer;
    const Document& document;
    const Tokens& tokens;
    const int count = tokens.answers * tokens.size, hidden = layer.hidden, dim = layer.head_dim;
    const int groups = layer.heads / layer.key_heads, of_key_head = count * groups, rows = count * layer.heads;
    const int all_heads = layer.heads * dim;
    const int projected = all_heads + 2 * layer.key_heads * dim;  // queries, keys, values
    const RowOrder order{groups, count, layer.heads};
    DocumentAttention<T> over_document{layer, document, tokens, order};
    Floats heads = floats((size_t)count * projected), queries = floats((size_t)rows * dim),
           gained = floats((size_t)rows * dim), absorbed = floats((size_t)(rows + TILE) * hidden),
           own_peaks = floats(rows), own_totals = floats(rows), own_sums = floats((size_t)rows * dim),
           summed = floats((size_t)rows * hidden), values = floats((size_t)rows * dim),
           mixed = floats((size_t)rows * dim);

    static const T* matrix(const void* weights) { return static_cast<const T*>(weights); }

    T* cached(void* cache, int answer, int key_head, int position) const {
        const size_t row = ((size_t)answer * layer.key_heads + key_head) * tokens.capacity + position;
        return static_cast<T*>(cache) + row * dim;
    }

    void project(const float* normed, bool queries) {
        const auto into = [&](const void* weights, int size, int place) {
            const Share share(size, TILE);
            product(matrix(weights), hidden, share.first, share.last, normed, count, &heads[place], projected);
        };
        if (queries) into(layer.q_proj, all_heads, 0);
        into(layer.k_proj, layer.key_heads * dim, all_heads);
        into(layer.v_proj, layer.key_heads * dim, all_heads + layer.key_heads * dim);
    }

    void place_heads(bool with_queries) {  // queries for both kinds of keys; the own keys and values into the cache
        const int none = with_queries ? 0 : layer.heads, each = layer.heads + 2 * layer.key_heads - none;
        const Share share(count * each, 1);
        auto normed = floats(dim);
        for (int item = share.first; item < share.last; item++) {
            const int token = item / each, head = none + item % each, key_head = (head - layer.heads) % layer.key_heads;
            const bool is_query = head < layer.heads, is_value = head >= layer.heads + layer.key_heads;
            float* from = &heads[(size_t)token * projected + (size_t)head * dim];
            if (!is_value) {
                rms_norm(from, is_query ? layer.q_norm : layer.k_norm, dim, layer.eps, normed.get());
                rotate(normed.get(), tokens.cos + (size_t)token * dim, tokens.sin + (size_t)token * dim, dim, from);
            }
            const size_t row = is_query ? (size_t)order.row_of(token, head) * dim : 0;
            T* to = is_query ? nullptr : cached(is_value ? tokens.values : tokens.keys, token / tokens.size, key_head,
                                                tokens.past + token % tokens.size);
            for (int i = 0; i < dim; i += LANES) {
                if (!is_query) {
                    store(to + i, load(from + i));
                    continue;
                }
                const Lanes scaled = load(from + i) * layer.scaling;
                store(&queries[row + i], scaled);
                store(&gained[row + i], scaled * load(layer.k_norm + i));
            }
        }
    }

    void absorb() {  // W_k^T (g * q), some columns of it
        const Share share(hidden, DEPTH);
        for (int row = 0; row < rows; row++)
            std::fill_n(&absorbed[(size_t)row * hidden + share.first], share.last - share.first, 0.0f);
        for (int head = 0; head < layer.key_heads; head++) {
            const size_t first = (size_t)head * of_key_head;
            const T* keys = matrix(layer.k_proj) + (size_t)head * dim * hidden;
            add_weighted(&gained[first * dim], dim, of_key_head, keys, dim, hidden, share.first, share.last,
                         &absorbed[first * hidden]);
        }
    }

    void attend_to_own() {  // what a key head's query heads ask for one token, together: they see the same keys
        const Share share(rows / groups, 1);
        const int most = whole_tiles(tokens.past + tokens.size);
        auto weights = floats((size_t)groups * most);
        for (int row = share.first * groups; row < share.last * groups; row += groups) {
            const int key_head = order.key_head_of(row), answer = order.token_of(row) / tokens.size;
            const int end = tokens.past + order.token_of(row) % tokens.size + 1;
            const int near = end - 1 - layer.behind, first = std::max<int64_t>({0, near, tokens.starts[answer]});
            const int size = std::max(end - first, 0);
            float* to = &own_sums[(size_t)row * dim];
            std::fill_n(to, (size_t)groups * dim, 0.0f);
            lane_product(cached(tokens.keys, answer, key_head, first), dim, 0, size, &queries[(size_t)row * dim],
                         groups, weights.get(), most);
            for (int head = 0; head < groups; head++) weigh_own(row + head, size, &weights[(size_t)head * most]);
            lane_add_weighted(weights.get(), most, groups, cached(tokens.values, answer, key_head, first), size, dim, 0,
                              dim, to);
        }
    }

    void weigh_own(int row, int size, float* scored) {  // padding before an answer sees nothing of its kind
        std::fill(scored + size, scored + whole_tiles(size), MASKED);
        Lanes peaks = all(NOTHING), total = {};
        for (int key = 0; key < size; key += LANES) peaks = larger(peaks, load(scored + key));
        const float peak = own_peaks[row] = highest(peaks);
        for (int key = 0; key < size; key += LANES) {
            const Lanes weights = exp(load(scored + key) - peak);
            store(scored + key, weights);
            total += weights;
        }
        own_totals[row] = sum(total);
    }

    float peak_of(int row) const {  // of all threads' and the own tokens' scores
        float peak = own_peaks[row];
        for (int thread = 0; thread < omp_get_num_threads(); thread++)
            peak = std::max(peak, over_document.peak(thread, row));
        return peak;
    }

    float total_of(int row, float peak) const {
        float total = own_totals[row] * std::exp(own_peaks[row] - peak);
        for (int thread = 0; thread < omp_get_num_threads(); thread++)
            total += over_document.total(thread, row) * std::exp(over_document.peak(thread, row) - peak);
        return total;
    }

    void merge() {  // the threads' sums of states, some columns of them
        const Share share(hidden, DEPTH);
        for (int row = 0; row < rows; row++) {
            const float peak = peak_of(row);
            float* to = &summed[(size_t)row * hidden];
            std::fill(to + share.first, to + share.last, 0.0f);
            for (int thread = 0; thread < omp_get_num_threads(); thread++) {
                const float weight = std::exp(over_document.peak(thread, row) - peak);
                const float* from = over_document.sums_of(thread) + (size_t)row * hidden;
                add_weighted(&weight, 0, 1, from, 1, hidden, share.first, share.last, to);
            }
        }
    }

    void mix() {  // sums of states become sums of values, and the own tokens' are added
        const Share share(dim, TILE);
        for (int head = 0; head < layer.key_heads; head++) {
            const size_t first = (size_t)head * of_key_head;
            product(matrix(layer.v_proj) + (size_t)head * dim * hidden, hidden, share.first, share.last,
                    &summed[first * hidden], of_key_head, &values[first * dim], dim);
        }
        for (int token = 0; token < count; token++)
            for (int head = 0; head < layer.heads; head++) {
                const int row = order.row_of(token, head);
                const float peak = peak_of(row), total = total_of(row, peak), own = std::exp(own_peaks[row] - peak);
                float* to = &mixed[(size_t)token * all_heads + (size_t)head * dim];
                for (int i = share.first; i < share.last; i++)
                    to[i] = (values[(size_t)row * dim + i] + own_sums[(size_t)row * dim + i] * own) / total;
            }
    }

public:
    MergedAttention(const Layer& layer, const Document& document, const Tokens& tokens)
        : layer(layer), document(document), tokens(tokens) {}

    // The keys and values of normed (N * size, hidden), each thread's own, go into the cache; queries are made, too,
    // where anybody asks.
    void remember(const float* normed, bool queries = false) {
        project(normed, queries);
#pragma omp barrier
        place_heads(queries);
#pragma omp barrier
    }

    // normed (N * size, hidden), each thread's own -> out (N * size, hidden), of all threads: whole behind a barrier.
    void run(const float* normed, float* out) {
        remember(normed, true);
        absorb();
        attend_to_own();
#pragma omp barrier
        over_document.attend(absorbed.get());
#pragma omp barrier
        merge();
        if (tokens.attention)
            over_document.look([this](int row) { return peak_of(row); },
                               [this](int row, float peak) { return total_of(row, peak); });
#pragma omp barrier
        mix();
#pragma omp barrier
        const Share share(hidden, TILE);
        layer_product<T>(layer, layer.o_proj, all_heads, share.first, share.last, mixed.get(), count, out, hidden);
    }
};
