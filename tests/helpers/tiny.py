"""A tiny random T5Gemma 2 in float32: the real classes, small enough to compare with transformers in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    Gemma3ImageProcessorPil,
    SiglipVisionConfig,
    T5Gemma2Config,
    T5Gemma2ForConditionalGeneration,
)

from model.checkpoints.checkpoint import Checkpoint
from model.checkpoints.files import for_foreign_text
from model.types import Answer, Document, Page, RetrievalProjection

TEXT = """The library of Lindau was founded in 1907 by Ada Keller. It has 41,250 volumes on three floors.
Its treasurer is Omar Haddad. The annual report was issued on 14 March 2025 and names a budget of 96,400 euros.
Invoice number: LB-20417
Total: 1,591.60 EUR
Question: who? Answer: nobody knows. """


def tiny_config(*, heads: int = 4, key_heads: int = 2, layers: int = 7, sliding_window: int = 8) -> T5Gemma2Config:
    """Seven layers, so that local and global ones both occur; a window far shorter than the test's texts."""
    text = {
        "vocab_size": 400,
        "hidden_size": 48,
        "intermediate_size": 64,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_heads,
        "head_dim": 16,
        "sliding_window": sliding_window,
        "query_pre_attn_scalar": 16,
        "max_position_embeddings": 1024,
        "rope_parameters": {
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
        },
    }
    vision = SiglipVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1, image_size=224, patch_size=14
    )
    return T5Gemma2Config(
        encoder={
            "text_config": text, "vision_config": vision.to_dict(), "eoi_token_index": 5, "boi_token_index": 4,
        },
        decoder=dict(text),
        image_token_index=6,
    )  # fmt: skip


def tiled_config(*, heads: int = 4, key_heads: int = 2, sliding_window: int = 8) -> T5Gemma2Config:
    """Sizes that a processor's matrix tiles take, where it has them."""
    config = tiny_config(heads=heads, key_heads=key_heads, sliding_window=sliding_window)
    for stack in (config.encoder.text_config, config.decoder):
        stack.hidden_size, stack.intermediate_size, stack.head_dim = 64, 96, 32
    return config


def tiny_model(config: T5Gemma2Config | None = None, seed: int = 0) -> T5Gemma2ForConditionalGeneration:
    """Random weights, and random norm gains too: a gain of one everywhere would hide a forgotten gain."""
    torch.manual_seed(seed)
    model = T5Gemma2ForConditionalGeneration(config or tiny_config()).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0, 0.3 if parameter.ndim == 1 else 0.2)
            if "embed_tokens" in name and parameter.ndim == 2:
                parameter.normal_(0, 0.15)
    return model


def relative_error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return ((ours - theirs).norm() / theirs.norm()).item()


def tiny_tokenizer() -> Tokenizer:
    """A byte-level BPE with Gemma's first ids: <pad> 0, <eos> 1, <bos> 2, <unk> 3."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_image>", "<end_of_image>", "<image_soft_token>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    return for_foreign_text(tokenizer)


def save_tiny(folder: Path, model: T5Gemma2ForConditionalGeneration | None = None, **options: Any) -> None:
    """A folder as `save_pretrained` leaves it, with these options."""
    (model or tiny_model()).save_pretrained(folder, **options)
    tiny_tokenizer().save(str(folder / "tokenizer.json"))


def tiny_checkpoint(*, chunk_size: int = 10_000, chunk_overlap: int = 0, seed: int = 0) -> Checkpoint:
    return Checkpoint(
        name="tiny",
        model=tiny_model(seed=seed),
        tokenizer=tiny_tokenizer(),
        chunk_size=chunk_size,
        chunk_overlap=chunk_overlap,
        fingerprint=f"tiny-{seed}",
        description="A tiny random checkpoint.",
        image_processor=Gemma3ImageProcessorPil(
            size={"height": 224, "width": 224}, image_mean=[0.5] * 3, image_std=[0.5] * 3
        ),
    )


def random_projection(hidden: int, size: int = 16) -> RetrievalProjection:
    """For late interaction over states of that size."""
    generator = torch.Generator().manual_seed(4)
    return RetrievalProjection(
        document=torch.randn(hidden, size, generator=generator),
        question=torch.randn(hidden, size, generator=generator),
        document_mean=torch.randn(hidden, generator=generator),
        question_mean=torch.randn(hidden, generator=generator),
    )


def document(*texts: str, name: str = "report.pdf") -> Document:
    """A document with the given pages, numbered from 1."""
    pages = tuple(Page(number=n, text=text, words=(), width=595, height=842) for n, text in enumerate(texts, 1))
    return Document(name=name, sha256=sha256(name.encode()).hexdigest(), pages=pages)


def last(answers: Iterator[Answer]) -> Answer:
    """The finished answer."""
    *_, answer = answers
    return answer


def ids_of(count: int, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(7, 400, (count,), generator=generator)
    ids[0] = 2
    return ids
