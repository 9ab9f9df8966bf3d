// The layouts of the structures that Python fills in, as text: the bindings compare them with their own when the
// library is loaded, so that a field which was added on one side alone is an error there, and not a wrong pointer here.

#include <cstddef>
#include <string>

#include "decoder_layer.h"
#include "encoder_layer.h"

namespace readonce {
namespace {

struct Field {
    const char* name;
    size_t offset;
};

template <size_t N>
std::string describe(const char* name, size_t size, const Field (&fields)[N]) {
    std::string text = std::string(name) + " " + std::to_string(size);
    for (const Field& field : fields) text += std::string(" ") + field.name + "@" + std::to_string(field.offset);
    return text + "\n";
}

#define FIELD(field) {#field, offsetof(STRUCT, field)}

std::string describe_all() {
    std::string text;
#define STRUCT Layer
    text += describe("Layer", sizeof(STRUCT),
                     {FIELD(hidden),
                      FIELD(inner),
                      FIELD(heads),
                      FIELD(key_heads),
                      FIELD(head_dim),
                      FIELD(tiled),
                      FIELD(in_int8),
                      FIELD(before),
                      FIELD(after),
                      FIELD(eps),
                      FIELD(scaling),
                      FIELD(q_proj),
                      FIELD(k_proj),
                      FIELD(v_proj),
                      FIELD(o_proj),
                      FIELD(gate_proj),
                      FIELD(up_proj),
                      FIELD(down_proj),
                      FIELD(pre_attention_norm),
                      FIELD(q_norm),
                      FIELD(k_norm),
                      FIELD(post_attention_norm),
                      FIELD(pre_feed_forward_norm),
                      FIELD(post_feed_forward_norm)});
#undef STRUCT
#define STRUCT DocumentMemory
    text += describe("DocumentMemory", sizeof(STRUCT),
                     {FIELD(parts), FIELD(tokens), FIELD(lengths), FIELD(states), FIELD(token_scales),
                      FIELD(channel_scales), FIELD(key_inv_rms), FIELD(visible_mask)});
#undef STRUCT
#define STRUCT DecoderStep
    text += describe(
        "DecoderStep", sizeof(STRUCT),
        {FIELD(sequences), FIELD(new_tokens), FIELD(past), FIELD(capacity), FIELD(threads), FIELD(starts),
         FIELD(visible_mask), FIELD(hidden), FIELD(attention), FIELD(cos), FIELD(sin), FIELD(keys), FIELD(values)});
#undef STRUCT
#define STRUCT EncoderChunk
    text += describe("EncoderChunk", sizeof(STRUCT),
                     {FIELD(tokens), FIELD(hidden), FIELD(cos), FIELD(sin), FIELD(keys), FIELD(values)});
#undef STRUCT
    return text;
}

}  // namespace

// A line a structure: its name, size, and each field's name and offset in bytes.
extern "C" const char* struct_layouts() {
    static const std::string text = describe_all();
    return text.c_str();
}

}  // namespace readonce
