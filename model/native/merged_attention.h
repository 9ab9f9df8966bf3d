// Merged attention of one new token of each of N answers, over its own tokens and the document: `attention.py` and
// `document_forms.py` (absorbed) have the mathematics. The document's states are read once, for scores and for sums.

#pragma once

#include <memory>

#include "decoder_layer.h"
#include "rows.h"

constexpr int UNIT = 8;            // rows of a matrix that a thread takes at least
constexpr float NOTHING = -1e20f;  // the highest of no scores
constexpr float MASKED = -1e30f;

inline std::unique_ptr<float[]> floats(size_t count) { return std::unique_ptr<float[]>(new float[count]); }

// Rows that attend are ordered by (key head, answer, query head of the key head): those of a key head lie together.
template <typename T>
class MergedAttention {
    const Layer& layer;
    const Document& document;
    const Tokens& tokens;
    const int count = tokens.count, hidden = layer.hidden, dim = layer.head_dim, all_heads = layer.heads * dim;
    const int groups = layer.heads / layer.key_heads, rows = count * layer.heads, of_key_head = count * groups;
    const int projected = all_heads + 2 * layer.key_heads * dim;  // queries, keys, values
    std::unique_ptr<float[]> heads = floats((size_t)count * projected), queries = floats((size_t)rows * dim),
                             gained = floats((size_t)rows * dim), absorbed = floats((size_t)rows * hidden),
                             own_peaks = floats(rows), own_totals = floats(rows), own_sums = floats((size_t)rows * dim),
                             scores = floats(tokens.attention ? (size_t)rows * document.tokens : 0),
                             peaks = floats((size_t)tokens.threads * rows), totals = floats((size_t)tokens.threads * rows),
                             sums = floats((size_t)tokens.threads * rows * hidden),
                             summed = floats((size_t)rows * hidden), values = floats((size_t)rows * dim),
                             mixed = floats((size_t)rows * dim);

    static const T* matrix(const void* weights) { return static_cast<const T*>(weights); }

    int answer_of(int row) const { return row / groups % count; }

    int row_of(int answer, int head) const { return (head / groups * count + answer) * groups + head % groups; }

    T* cached(void* cache, int answer, int key_head, int position) const {
        const size_t row = ((size_t)answer * layer.key_heads + key_head) * tokens.capacity + position;
        return static_cast<T*>(cache) + row * dim;
    }

    void project(const float* normed) {
        const auto into = [&](const void* weights, int size, int place) {
            const Share share(size, UNIT);
            product(matrix(weights), hidden, share.first, share.last, normed, count, &heads[place], projected);
        };
        into(layer.q_proj, all_heads, 0);
        into(layer.k_proj, layer.key_heads * dim, all_heads);
        into(layer.v_proj, layer.key_heads * dim, all_heads + layer.key_heads * dim);
    }

    void place_heads() {  // queries for both kinds of keys; the own keys and values into the cache
        const int each = layer.heads + 2 * layer.key_heads;
        const Share share(count * each, 1);
        auto normed = floats(dim);
        for (int item = share.first; item < share.last; item++) {
            const int answer = item / each, head = item % each, key_head = (head - layer.heads) % layer.key_heads;
            const bool is_query = head < layer.heads, is_value = head >= layer.heads + layer.key_heads;
            float* from = &heads[(size_t)answer * projected + (size_t)head * dim];
            if (!is_value) {
                rms_norm(from, is_query ? layer.q_norm : layer.k_norm, dim, layer.eps, normed.get());
                rotate(normed.get(), tokens.cos + (size_t)answer * dim, tokens.sin + (size_t)answer * dim, dim, from);
            }
            const size_t row = is_query ? (size_t)row_of(answer, head) * dim : 0;
            T* to = is_query ? nullptr : cached(is_value ? tokens.values : tokens.keys, answer, key_head, tokens.past);
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
        const Share share(hidden, LANES);
        for (int row = 0; row < rows; row++)
            std::fill(&absorbed[(size_t)row * hidden + share.first], &absorbed[(size_t)row * hidden + share.last], 0.0f);
        for (int head = 0; head < layer.key_heads; head++) {
            const size_t first = (size_t)head * of_key_head;
            add_weighted(&gained[first * dim], dim, of_key_head, matrix(layer.k_proj) + (size_t)head * dim * hidden, dim,
                         hidden, share.first, share.last, &absorbed[first * hidden]);
        }
    }

    void attend_to_own() {
        const int window_start = layer.window ? tokens.past + 1 - layer.window : 0;
        const Share share(rows, 1);
        auto weights = floats(tokens.past + 1);
        for (int row = share.first; row < share.last; row++) {
            const int key_head = row / of_key_head, answer = answer_of(row);
            const int first = std::max<int64_t>({0, window_start, tokens.starts[answer]}), size = tokens.past + 1 - first;
            float* to = &own_sums[(size_t)row * dim];
            product(cached(tokens.keys, answer, key_head, first), dim, 0, size, &queries[(size_t)row * dim], 1,
                    weights.get(), 0);
            own_peaks[row] = *std::max_element(&weights[0], &weights[size]);
            own_totals[row] = 0;
            for (int key = 0; key < size; key++)
                own_totals[row] += weights[key] = std::exp(weights[key] - own_peaks[row]);
            std::fill(to, to + dim, 0.0f);
            add_weighted(weights.get(), 0, 1, cached(tokens.values, answer, key_head, first), size, dim, 0, dim, to);
        }
    }

    // A running softmax over this thread's tokens: states are read once, for scores and for sums.
    void attend_to_document() {
        const Share share(document.tokens, LANES);
        const size_t here = (size_t)omp_get_thread_num() * rows;
        std::fill_n(&peaks[here], rows, NOTHING);
        std::fill_n(&totals[here], rows, 0.0f);
        std::fill_n(&sums[here * hidden], (size_t)rows * hidden, 0.0f);
        auto weights = floats((size_t)rows * LANES);
        for (int part = 0, begin = 0; part < document.parts; begin += document.lengths[part++]) {
            const int length = document.lengths[part], end = std::min(share.last - begin, length);
            for (int token = std::max(share.first - begin, 0); token < end; token += LANES) {
                const int size = std::min(LANES, end - token);
                const T* states = matrix(document.states[part]) + (size_t)token * hidden;
                product(states, hidden, 0, size, absorbed.get(), rows, weights.get(), LANES);
                for (int row = 0; row < rows; row++) {
                    const float* scales = document.scales[part] + (size_t)(row / of_key_head) * length + token;
                    weigh(row, begin + token, size, scales, &weights[(size_t)row * LANES]);
                }
                add_weighted(weights.get(), LANES, rows, states, size, hidden, 0, hidden, &sums[here * hidden]);
            }
        }
    }

    // Up to LANES products of one row -> scores -> weights, relative to this thread's peak so far.
    void weigh(int row, int first, int size, const float* scales, float* scored) {
        const size_t here = (size_t)omp_get_thread_num() * rows + row;
        for (int i = 0; i < size; i++) scored[i] *= scales[i];
        std::fill(scored + size, scored + LANES, MASKED);
        if (document.shown) {
            const uint8_t* shown = document.shown + (size_t)answer_of(row) * document.tokens + first;
            for (int i = 0; i < size; i++) scored[i] = shown[i] ? scored[i] : MASKED;
        }
        if (tokens.attention) std::copy(scored, scored + size, &scores[(size_t)row * document.tokens + first]);
        const float peak = std::max(peaks[here], highest(load(scored)));
        if (peak > peaks[here]) {
            const float shrink = std::exp(peaks[here] - peak);
            scale(&sums[here * hidden], shrink, hidden);
            totals[here] *= shrink;
            peaks[here] = peak;
        }
        store(scored, exp(load(scored) - peak));
        std::fill(scored + size, scored + LANES, 0.0f);
        totals[here] += sum(load(scored));
    }

    float peak_of(int row) const {  // of all threads' and the own tokens' scores
        float peak = own_peaks[row];
        for (int thread = 0; thread < omp_get_num_threads(); thread++)
            peak = std::max(peak, peaks[(size_t)thread * rows + row]);
        return peak;
    }

    float total_of(int row, float peak) const {
        float total = own_totals[row] * std::exp(own_peaks[row] - peak);
        for (size_t here = row; here < (size_t)omp_get_num_threads() * rows; here += rows)
            total += totals[here] * std::exp(peaks[here] - peak);
        return total;
    }

    void merge() {  // the threads' sums of states, some columns of them
        const Share share(hidden, LANES);
        for (int row = 0; row < rows; row++) {
            const float peak = peak_of(row);
            float* to = &summed[(size_t)row * hidden];
            std::fill(to + share.first, to + share.last, 0.0f);
            for (size_t here = row; here < (size_t)omp_get_num_threads() * rows; here += rows) {
                const float weight = std::exp(peaks[here] - peak);
                add_weighted(&weight, 0, 1, &sums[here * hidden], 1, hidden, share.first, share.last, to);
            }
        }
    }

    void look() {  // the attention over some of the document's tokens
        const Share share(document.tokens, LANES);
        for (int answer = 0; answer < count; answer++) {
            float* looks = tokens.attention + (size_t)answer * document.tokens;
            std::fill(looks + share.first, looks + share.last, 0.0f);
            for (int head = 0; head < layer.heads; head++) {
                const int row = row_of(answer, head);
                const float peak = peak_of(row), part = 1 / (total_of(row, peak) * layer.heads);
                const float* scored = &scores[(size_t)row * document.tokens];
                int token = share.first;
                for (; token + LANES <= share.last; token += LANES)
                    store(looks + token, load(looks + token) + exp(load(scored + token) - peak) * part);
                for (; token < share.last; token++) looks[token] += std::exp(scored[token] - peak) * part;
            }
        }
    }

    void mix() {  // sums of states become sums of values, and the own tokens' are added
        const Share share(dim, UNIT);
        for (int head = 0; head < layer.key_heads; head++) {
            const size_t first = (size_t)head * of_key_head;
            product(matrix(layer.v_proj) + (size_t)head * dim * hidden, hidden, share.first, share.last,
                    &summed[first * hidden], of_key_head, &values[first * dim], dim);
        }
        for (int answer = 0; answer < count; answer++)
            for (int head = 0; head < layer.heads; head++) {
                const int row = row_of(answer, head);
                const float peak = peak_of(row), total = total_of(row, peak), own = std::exp(own_peaks[row] - peak);
                float* to = &mixed[(size_t)answer * all_heads + (size_t)head * dim];
                for (int i = share.first; i < share.last; i++)
                    to[i] = (values[(size_t)row * dim + i] + own_sums[(size_t)row * dim + i] * own) / total;
            }
    }

public:
    MergedAttention(const Layer& layer, const Document& document, const Tokens& tokens)
        : layer(layer), document(document), tokens(tokens) {}

    // normed (N, hidden), each thread's own -> out (N, hidden), of all threads: whole behind the next barrier.
    void run(const float* normed, float* out) {
        project(normed);
#pragma omp barrier
        place_heads();
#pragma omp barrier
        absorb();
        attend_to_own();
#pragma omp barrier
        attend_to_document();
#pragma omp barrier
        merge();
        if (tokens.attention) look();
#pragma omp barrier
        mix();
#pragma omp barrier
        const Share share(hidden, UNIT);
        product(matrix(layer.o_proj), all_heads, share.first, share.last, mixed.get(), count, out, hidden);
    }
};
