"""What several test files share: a tiny T5Gemma 2 with random weights, saved in the official layout."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, T5Gemma2Config, T5Gemma2ForConditionalGeneration

from model.checkpoint import Checkpoint

SPECIAL_TOKENS = ["<pad>", "<eos>", "<bos>", "<unk>"]  # with Gemma's numbers for the first three


@pytest.fixture(autouse=True)
def _threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tiny models gain nothing from a second thread, and wait a hundred times longer for it on a busy machine."""
    threads = torch.get_num_threads()
    if "weights" not in request.keywords:
        torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `save_pretrained` leaves it: tests that damage it work on a copy."""
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny-t5gemma-2"
    torch.manual_seed(0)
    T5Gemma2ForConditionalGeneration(_tiny_config()).save_pretrained(folder)
    _tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | Path], Checkpoint]:
    """Load a checkpoint by its name, with a cache folder of its own."""
    from model.checkpoints import load_checkpoint

    cache = tmp_path_factory.mktemp("cache")
    return lambda name: load_checkpoint(str(name), cache_folder=cache)


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_folder: Path, load: Callable[[str | Path], Checkpoint]) -> Checkpoint:
    return load(tiny_folder)


def _tiny_config() -> T5Gemma2Config:
    """Six layers, so that one of them attends globally; a window small enough that it matters."""
    text = {
        "vocab_size": 320,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 6,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "query_pre_attn_scalar": 16,
        "sliding_window": 16,
        "max_position_embeddings": 1024,
    }
    vision = {
        "model_type": "siglip_vision_model",
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "image_size": 28,
        "patch_size": 14,
    }
    encoder = {"text_config": text, "vision_config": vision, "mm_tokens_per_image": 4}
    markers = {"boi_token_index": 310, "eoi_token_index": 311}
    return T5Gemma2Config(encoder=encoder | markers, decoder=text, image_token_index=312)


def _tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Bytes as tokens, `<bos>` in front: what Gemma's tokenizer does, without its 262,144 words."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=260, special_tokens=SPECIAL_TOKENS, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", unk_token="<unk>"
    )
