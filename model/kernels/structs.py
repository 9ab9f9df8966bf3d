"""The structures that native code is given, as `layer.h`, `decoder_layer.h` and `encoder_layer.h` declare them.

`check_layouts` compares both sides when the library is loaded: a field that was added on one of them alone would make
native code read a wrong address.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_float, c_int32, c_void_p

from model.errors import KernelError

PROJECTIONS = {
    "self_attn": ("q_proj", "k_proj", "v_proj", "o_proj"),
    "mlp": ("gate_proj", "up_proj", "down_proj"),
}
NORMS = {
    "pre_attention_norm": "pre_self_attn_layernorm",
    "q_norm": "self_attn.q_norm",
    "k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_self_attn_layernorm",
    "pre_feed_forward_norm": "pre_feedforward_layernorm",
    "post_feed_forward_norm": "post_feedforward_layernorm",
}


class Layer(Structure):
    """A layer of either stack: its sizes, matrices and gains."""

    _fields_ = [
        *((name, c_int32) for name in ("hidden", "inner", "heads", "key_heads", "head_dim")),
        *((name, c_int32) for name in ("tiled", "in_int8", "before", "after")),
        *((name, c_float) for name in ("eps", "scaling")),
        *((name, c_void_p) for names in PROJECTIONS.values() for name in names),
        *((name, c_void_p) for name in NORMS),
    ]


class DocumentMemory(Structure):
    """Memories that are attended to as one, as a decoder layer needs them."""

    _fields_ = [
        *((name, c_int32) for name in ("parts", "tokens")),
        ("lengths", POINTER(c_int32)),
        *((name, POINTER(c_void_p)) for name in ("states", "token_scales", "channel_scales", "key_inv_rms")),
        ("visible_mask", c_void_p),
    ]


class DecoderStep(Structure):
    """New tokens of each sequence, on their way through the decoder's layers."""

    _fields_ = [
        *((name, c_int32) for name in ("sequences", "new_tokens", "past", "capacity", "threads")),
        *((name, c_void_p) for name in ("starts", "visible_mask", "hidden", "attention")),
        *((name, POINTER(c_void_p)) for name in ("cos", "sin", "keys", "values")),
    ]


class EncoderChunk(Structure):
    """Tokens that attend to each other, on their way through the encoder's layers."""

    _fields_ = [("tokens", c_int32), *((name, c_void_p) for name in ("hidden", "cos", "sin", "keys", "values"))]


STRUCTS = (Layer, DocumentMemory, DecoderStep, EncoderChunk)


def layout_of(struct: type[Structure]) -> str:
    """The structure's name, size, and each field's name and offset in bytes, as `struct_layouts.cpp` writes them."""
    fields = (f"{name}@{getattr(struct, name).offset}" for name, *_ in struct._fields_)
    return f"{struct.__name__} {ctypes.sizeof(struct)} {' '.join(fields)}"


def check_layouts(library: ctypes.CDLL, structs: tuple[type[Structure], ...] = STRUCTS) -> None:
    """Raises KernelError where the library was compiled with other structures than these."""
    describe = library.struct_layouts
    describe.argtypes, describe.restype = [], c_char_p
    compiled = describe().decode().splitlines()
    for struct in structs:
        layout = layout_of(struct)
        if layout not in compiled:
            others = next((line for line in compiled if line.startswith(f"{struct.__name__} ")), "no such structure")
            raise KernelError(
                "Native code and its Python bindings disagree about {name}: compiled is {compiled!r}, and "
                "structs.py has {layout!r}. Both must list the same fields in the same order.",
                name=struct.__name__,
                compiled=others,
                layout=layout,
            )
