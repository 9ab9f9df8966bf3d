"""Laws of the engine's backend: one that cannot be loaded costs speed and a sentence, and nothing else."""

from __future__ import annotations

from pathlib import Path

from model.decoder.model_backend import Backend, load_backend
from model.engine import Engine
from model.kernels.parts import NativeParts
from model.types import GenerationOptions
from tests.helpers.tiny import TEXT, document, last, tiny_checkpoint


def test_a_backend_that_cannot_be_loaded_is_named_and_answers_are_the_same(
    tmp_path: Path,
) -> None:
    def fails(*_: object, **__: object) -> NativeParts:
        raise OSError("libgomp.so.1: cannot open shared object file\nsecond line")

    checkpoint = tiny_checkpoint()
    backend = load_backend(checkpoint.model, tmp_path, quantized=True, load=fails)
    assert "libgomp.so.1: cannot open shared object file" in backend.notice and "\n" not in backend.notice
    options = GenerationOptions(max_new_tokens=8)
    engines = Engine(checkpoint), Engine(checkpoint, backend=backend)
    texts = [last(engine.answer(engine.encode(document(TEXT)), "Who?", options=options)).text for engine in engines]
    assert texts[0] == texts[1]


def test_an_installed_backend_is_the_one_in_use() -> None:
    checkpoint = tiny_checkpoint()
    engine, backend = Engine(checkpoint), Backend.eager(checkpoint.model, notice="slow")
    assert engine.backend.notice == ""
    engine.install(backend)
    assert engine.backend is backend
