"""Gemma 3 (decoder only) -> T5Gemma 2 (encoder-decoder), arXiv 2512.14856, section 2, with two measured changes.

The paper copies the decoder's layers into both stacks; merged attention (section 2.2) shares one `k_proj` and `v_proj`
between self- and cross-attention, and embeddings are tied, so every parameter has a pretrained value. But the decoder's
`k_proj` then sees two different inputs: its own states after a gained norm, and the encoder's output after another.
`fold_norms` makes them alike: each layer's input gain moves into q, k and v (the function is unchanged), and the
encoder's final norm keeps a gain of one. `encoder_layers` cuts the encoder off in the middle, so that its output is
what Gemma's own middle layers attend to; `identity_from` keeps the upper layers, silent at first. All can be switched
off: then it is the paper's plain recipe.
"""

from dataclasses import dataclass

import torch
from transformers import Gemma3TextConfig, SiglipVisionConfig, T5Gemma2Config, T5Gemma2ForConditionalGeneration

_NORM_NAMES = {"input_layernorm": "pre_self_attn_layernorm", "post_attention_layernorm": "post_self_attn_layernorm"}
_ENCODER = "model.encoder.text_model"
_DECODER = "model.decoder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialisation:
    """How the two stacks start.

    `encoder_layers`: how many of Gemma's layers the encoder takes, None for all; `identity_from`: the first encoder
    layer that starts as identity, None for none.
    """

    fold_norms: bool = True
    encoder_layers: int | None = 8
    identity_from: int | None = None


def t5gemma2_config(gemma: Gemma3TextConfig, encoder_layers: int | None = None) -> T5Gemma2Config:
    """The encoder-decoder shape of a Gemma 3, with the smallest vision tower that transformers accepts, unused."""
    depth = encoder_layers or gemma.num_hidden_layers
    shared = {
        name: getattr(gemma, name)
        for name in [
            "vocab_size",
            "hidden_size",
            "intermediate_size",
            "num_hidden_layers",
            "num_attention_heads",
            "num_key_value_heads",
            "head_dim",
            "sliding_window",
            "max_position_embeddings",
            "query_pre_attn_scalar",
            "rms_norm_eps",
            "rope_parameters",
            "layer_types",
        ]
    }
    vision = SiglipVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1, image_size=224, patch_size=14
    )
    encoder = shared | {"num_hidden_layers": depth, "layer_types": shared["layer_types"][:depth]}
    return T5Gemma2Config(encoder={"text_config": encoder, "vision_config": vision.to_dict()}, decoder=shared)


def _fold(layer: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Move the gain of a layer's input norm into q, k and v: W (g * x) = (W diag(g)) x. The function is unchanged."""
    gain = 1 + layer["pre_self_attn_layernorm.weight"].float()
    folded = dict(layer)
    for name in ("q_proj", "k_proj", "v_proj"):
        key = f"self_attn.{name}.weight"
        folded[key] = (layer[key].float() * gain).to(layer[key].dtype)
    folded["pre_self_attn_layernorm.weight"] = torch.zeros_like(layer["pre_self_attn_layernorm.weight"])
    return folded


def _as_identity(layer: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A layer whose two branches add nothing: a gain of zero after attention and after the feed-forward."""
    silenced = dict(layer)
    for name in ("post_self_attn_layernorm.weight", "post_feedforward_layernorm.weight"):
        silenced[name] = torch.full_like(layer[name], -1.0)
    return silenced


def _layer(gemma: dict[str, torch.Tensor], index: int) -> dict[str, torch.Tensor]:
    prefix = f"layers.{index}."
    layer = {}
    for name, value in gemma.items():
        if name.startswith(prefix):
            head, _, tail = name.removeprefix(prefix).partition(".")
            layer[f"{_NORM_NAMES.get(head, head)}.{tail}"] = value
    return layer


def initial_weights(
    gemma: dict[str, torch.Tensor], layers: int, start: Initialisation | None = None
) -> dict[str, torch.Tensor]:
    """The text weights of a T5Gemma 2 from those of a Gemma 3 (names as in `gemma3.read_gemma_weights`).

    Embeddings appear once, under the encoder's name; the decoder and the head are tied to it.
    """
    start = start or Initialisation()
    weights = {f"{_ENCODER}.embed_tokens.weight": gemma["embed_tokens.weight"]}
    for index in range(layers):
        layer = _layer(gemma, index)
        if start.fold_norms:
            layer = _fold(layer)
        silent = start.identity_from is not None and index >= start.identity_from
        if index < (start.encoder_layers or layers):
            for name, value in (_as_identity(layer) if silent else layer).items():
                weights[f"{_ENCODER}.layers.{index}.{name}"] = value
        for name, value in layer.items():
            weights[f"{_DECODER}.layers.{index}.{name}"] = value
    norm = gemma["norm.weight"]
    weights[f"{_DECODER}.norm.weight"] = norm
    weights[f"{_ENCODER}.norm.weight"] = torch.zeros_like(norm) if start.fold_norms else norm
    return weights


def build_model(
    config: T5Gemma2Config, weights: dict[str, torch.Tensor], dtype: torch.dtype = torch.bfloat16
) -> T5Gemma2ForConditionalGeneration:
    """A T5Gemma 2 with `weights`, in evaluation mode. What they leave out (the unused vision tower) is zero."""
    with torch.device("meta"):
        shapes = T5Gemma2ForConditionalGeneration(config).state_dict()
    unused = {
        name: torch.zeros(value.shape, dtype=dtype)
        for name, value in shapes.items()
        if name not in weights and not name.endswith(("decoder.embed_tokens.weight", "lm_head.out_proj.weight"))
    }
    model = T5Gemma2ForConditionalGeneration.from_pretrained(
        None, config=config, state_dict=weights | unused, dtype=dtype
    )
    return model.eval()
