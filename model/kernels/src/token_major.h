// Sixteen tokens side by side, a token a lane: token-major, {tokens / 16, size, 16}. So the norms, RoPE and softmax of
// a token need no sum across a vector, and what a tile product gives is laid out as the next one takes it: the matrix
// of weights is the first factor A, and the tokens are the columns of the second factor B.
//
// A matrix {out, in} is stored as tiles behind each other, which are read as fast as memory gives them, or row-major:
//
//     {out, in} to {out / 16, in / 32, 16, 32}

#pragma once

#include "layer.h"
#include "tiles.h"

#ifdef READONCE_AMX

namespace readonce {

constexpr int BF16_TILE = TILE * TILE_K;  // bfloat16 numbers of a tile
constexpr float LOG2_E = 1.44269504f;

// Two numbers of each of 16 tokens, to {16, 2} of bfloat16.
inline void store_vnni2(bfloat16* to, F32x16 one, F32x16 two) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)two, (__m512)one);
    _mm512_storeu_si512(to, _mm512_permutexvar_epi16(order, both));
}

// 2^x with a relative error of 1e-4: less than bfloat16 can tell.
inline F32x16 exp2(F32x16 x) {
    constexpr int MINUS_FLOOR = 0x09;
    const F32x16 rest = (F32x16)_mm512_reduce_ps((__m512)x, MINUS_FLOOR);
    F32x16 value = rest * 0.0780245226f + 0.226067155f;
    value = value * rest + 0.69583354f;
    value = value * rest + 0.999925219f;
    return (F32x16)_mm512_scalef_ps((__m512)value, (__m512)x);  // times 2^floor(x)
}

// GELU(gate) * up, with GELU's tanh approximation as a logistic function, as exact as bfloat16 needs it.
inline F32x16 gelu_gated(F32x16 gate, F32x16 up) {
    // -2 log2(e) sqrt(2 / pi) (x + 0.044715 x^3)
    const F32x16 power = gate * (gate * gate * -0.102943240f - 2.30220820f);
    return gate * up * (F32x16)_mm512_rcp14_ps((__m512)(exp2(power) + 1.0f));
}

// The largest of each lane of scores {size, 16}; size is a multiple of 4.
inline F32x16 max_of_lanes(const float* scores, int size) {
    F32x16 most[4];
    for (int n = 0; n < 4; n++) most[n] = load(scores + n * TILE);
    for (int n = 4; n < size; n++) most[n % 4] = max(most[n % 4], load(scores + (size_t)n * TILE));
    return max(max(most[0], most[1]), max(most[2], most[3]));
}

// 0, stride, 2 * stride, ..., 15 * stride.
inline __m512i lane_offsets(int stride) {
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_mullo_epi32(lane, _mm512_set1_epi32(stride));
}

// Two numbers of each of 16 tokens, to rows of tokens that are `stride` numbers apart.
inline void scatter_vnni2(bfloat16* to, int stride, F32x16 one, F32x16 two) {
    alignas(64) bfloat16 pairs[2 * LANES];
    store_vnni2(pairs, one, two);
    _mm512_i32scatter_epi32(to, lane_offsets(stride), _mm512_load_si512(pairs), 2);
}

// 1 / sqrt(mean(x^2) + eps) of each token of x {size, 16}.
inline F32x16 inv_rms(const float* x, int size, float eps) {
    F32x16 squares[2] = {};
    for (int i = 0; i < size; i += 2) {
        const F32x16 one = load(x + (size_t)i * LANES), two = load(x + (size_t)(i + 1) * LANES);
        squares[0] += one * one;
        squares[1] += two * two;
    }
    const F32x16 mean = (squares[0] + squares[1]) * (1.0f / size) + eps;
    return 1.0f / (F32x16)_mm512_sqrt_ps((__m512)mean);
}

// RMSNorm of x {size, 16} as second factor, {size / 2, 16, 2}.
inline void rms_norm_vnni2(const float* x, const float* gain, int size, float eps, bfloat16* to) {
    const F32x16 factor = inv_rms(x, size, eps);
    for (int i = 0; i < size; i += 2, x += 2 * LANES, to += 2 * LANES)
        store_vnni2(to, load(x) * factor * gain[i], load(x + LANES) * factor * gain[i + 1]);
}

// to {size, 16} += RMSNorm of x.
inline void add_rms_norm(const float* x, const float* gain, int size, float eps, float* to) {
    const F32x16 factor = inv_rms(x, size, eps);
    for (int i = 0; i < size; i++, x += LANES, to += LANES) store(to, load(to) + load(x) * factor * gain[i]);
}

// Tiles 0 to 3 accumulate 32 x 32 numbers: the products of two tiles of A, which are rows of weights, with two groups
// of 16 tokens:
//
//                 group one   group two
//     A one        tile 0      tile 1
//     A two        tile 2      tile 3
//
// In memory, the two tiles of a group are stored one behind the other, {32, 16}.
inline void zero_accumulators() {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

inline void load_accumulators(const float* one, const float* two) {
    compiler_barrier();
    _tile_loadd(0, one, 64);
    _tile_loadd(1, two, 64);
    _tile_loadd(2, one + TILE * TILE, 64);
    _tile_loadd(3, two + TILE * TILE, 64);
}

template <bool BOTH = true>  // false: group one alone
inline void store_accumulators(float* one, float* two) {
    _tile_stored(0, one, 64);
    _tile_stored(2, one + TILE * TILE, 64);
    if (!BOTH) return;
    _tile_stored(1, two, 64);
    _tile_stored(3, two + TILE * TILE, 64);
}

// Which factor is read once and not soon again. Its tiles are loaded past the core's first cache, in which the other
// factor's stay.
enum class StreamedOperand { A, B };

// One step of TILE_K: the four accumulators += two tiles of A, whose rows are `stride` bytes apart, times those of B.
template <StreamedOperand streamed, bool BOTH = true>
inline void multiply_add(const bfloat16* a_one, const bfloat16* a_two, const bfloat16* b_one, const bfloat16* b_two,
                         int stride = 64) {
    compiler_barrier();
    if constexpr (streamed == StreamedOperand::B) {
        _tile_loadd(4, a_one, stride);
        _tile_stream_loadd(6, b_one, 64);
        _tile_loadd(5, a_two, stride);
        if (BOTH) _tile_stream_loadd(7, b_two, 64);
    } else {
        _tile_stream_loadd(4, a_one, stride);
        _tile_loadd(6, b_one, 64);
        _tile_stream_loadd(5, a_two, stride);
        if (BOTH) _tile_loadd(7, b_two, 64);
    }
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
    if (!BOTH) return;
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
}

struct Matrix {  // {out, in}
    const bfloat16* weights;
    int in;
    bool tiled;  // stored as tiles, else row-major

    const bfloat16* tile(int row, int column) const {
        return weights + (size_t)row * in + (size_t)column * (tiled ? TILE : 1);
    }
    int step() const { return tiled ? BF16_TILE : TILE_K; }  // numbers from a tile to the next one of its row
    int stride() const { return tiled ? 64 : 2 * in; }       // bytes from a row of a tile to its next
};

inline Matrix matrix_of(const Layer& layer, const void* weights, int in) {
    return {static_cast<const bfloat16*>(weights), in, layer.tiled != 0};
}

// Two weight panels, 16 rows each of a matrix or of two, and which of their columns a product takes.
struct PanelPair {
    const Matrix &one, &two;
    int row_of_one, row_of_two, first_column, columns;
};

// Products of two panels with `groups` groups of 16 tokens, two groups at a time. A group is packed,
// {columns / 2, 16, 2}, and the next one is `apart` numbers on.
//
// `begin(group)` sets the accumulators and `end(group)` takes them, both for two groups. `overlap()` is called after
// each step with other work for the vector units: the core does both at once.
template <typename Begin, typename End, typename Overlap>
void panel_products(const PanelPair& panels, const bfloat16* packed, size_t apart, int groups, const Begin& begin,
                    const End& end, const Overlap& overlap) {
    const int step = panels.one.step(), stride = panels.one.stride();
    for (int group = 0; group < groups; group += 2, packed += 2 * apart) {
        const bfloat16 *b_one = packed, *b_two = packed + apart;
        const bfloat16* a_one = panels.one.tile(panels.row_of_one, panels.first_column);
        const bfloat16* a_two = panels.two.tile(panels.row_of_two, panels.first_column);
        begin(group);
        for (int i = 0; i < panels.columns; i += TILE_K) {
            multiply_add<StreamedOperand::B>(a_one, a_two, b_one, b_two, stride);
            a_one += step;
            a_two += step;
            b_one += BF16_TILE;
            b_two += BF16_TILE;
            overlap();
        }
        end(group);
    }
}

constexpr int K_BLOCK = 640;  // columns of two panels that stay in the core's first cache while all tokens go by

// y {groups, outs, 16} = columns [first, first + columns) of the matrix {outs, in} times packed tokens
// {groups, columns / 2, 16, 2}; or y += it.
inline void token_major_linear(const Matrix& matrix, int first, int columns, int outs, const bfloat16* packed,
                               int groups, float* y, bool add = false) {
    const int blocks = (columns + K_BLOCK - 1) / K_BLOCK, block = round_up_k((columns + blocks - 1) / blocks);
    for (int out = 0; out < outs; out += 2 * TILE)
        for (int done = 0; done < columns; done += block) {
            const auto place = [&](int group) { return y + ((size_t)group * outs + out) * TILE; };
            panel_products(
                {matrix, matrix, out, out + TILE, first + done, std::min(block, columns - done)},
                packed + (size_t)done * TILE, (size_t)columns * TILE, groups,
                [&](int group) {
                    add || done ? load_accumulators(place(group), place(group + 1)) : zero_accumulators();
                },
                [&](int group) { store_accumulators(place(group), place(group + 1)); }, [] {});
        }
}

// The inner values of a gated feed-forward, GELU(gate_proj x) * (up_proj x), for some rows of both matrices:
// {groups, size / 2, 16, 2} of packed tokens {groups, hidden / 2, 16, 2}.
//
// The activation of two groups is computed while the products of the next two are accumulated.
class GatedProduct {
    static constexpr int PAIRS = TILE;            // of rows, of both groups
    alignas(64) float sums[2][2][2][TILE][TILE];  // {turn, group, gate or up}
    bfloat16* to[2];
    int turn = 0, activated = PAIRS;

    void activate(int end) {
        for (; activated < end; activated++) {
            const auto& of_group = sums[!turn][activated / (PAIRS / 2)];
            const int row = activated % (PAIRS / 2) * 2;
            store_vnni2(to[activated / (PAIRS / 2)] + row * TILE,
                        gelu_gated(load(of_group[0][row]), load(of_group[1][row])),
                        gelu_gated(load(of_group[0][row + 1]), load(of_group[1][row + 1])));
        }
    }

public:
    void operator()(const Matrix& gate_proj, const Matrix& up_proj, int first, int size, const bfloat16* packed,
                    int groups, bfloat16* inner) {
        const int steps = gate_proj.in / TILE_K, each = (PAIRS + steps - 1) / steps;
        for (int out = 0; out < size; out += TILE)
            panel_products(
                {gate_proj, up_proj, first + out, first + out, 0, gate_proj.in}, packed, (size_t)gate_proj.in * TILE,
                groups, [](int) { zero_accumulators(); },
                [&](int group) {
                    activate(PAIRS);
                    store_accumulators(sums[turn][0][0][0], sums[turn][1][0][0]);
                    turn = !turn;
                    activated = 0;
                    for (int g = 0; g < 2; g++) to[g] = inner + ((size_t)(group + g) * size + out) * TILE;
                },
                [&] { activate(std::min(PAIRS, activated + each)); });
        activate(PAIRS);
    }
};

}  // namespace readonce

#endif
