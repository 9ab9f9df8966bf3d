"""The engine of a ZeroGPU Space: it encodes on the borrowed GPU and answers here, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Unpack

import gradio as gr

from app.spaces.zero_gpu import ZeroGpu
from model.checkpoints.checkpoint import Checkpoint
from model.encoder.plan import EncodingOptions, EncodingPlan, tagged
from model.encoding.memory import to_precision
from model.engine import Engine
from model.errors import ReadonceError, raise_if_cancelled
from model.types import Document, EncodedDocument, Progress


class ZeroGpuEngine(Engine):
    """An `Engine` whose weights stay on the CPU; only the lent process has a copy on the GPU."""

    yields_chunks = False

    def __init__(self, checkpoint: Checkpoint, gpu: ZeroGpu, **options: Any) -> None:
        super().__init__(checkpoint, **options)
        self._gpu = gpu
        gpu.serve(checkpoint)

    def encode_chunks(
        self, document: Document | EncodingPlan, **options: Unpack[EncodingOptions]
    ) -> Iterator[EncodedDocument]:
        """As `Engine.encode_chunks`, in one piece: pages are drawn here first, and nothing can be stopped there."""
        plan, picture = self.plan(document, views=options.get("views")), options.get("picture")
        document = tagged(self.checkpoint, plan, picture, lambda: self.tagger)
        seen = [page.number for page in document.pages if page.view != "text"]
        pictures = {number: picture(number) for number in seen} if picture else {}
        raise_if_cancelled(options.get("cancelled"), "Stopped before {name} was encoded.", name=document.name)
        total = plan.token_count
        if pause := options.get("pause"):
            pause(0)
        report = options.get("progress") or (lambda _: None)
        report(Progress(stage="encoding", done=0, total=total, unit="tokens"))
        try:
            found = self._gpu.encode(document, pictures, options.get("pan_and_scan", False))
        except gr.Error as error:  # none was free, the visitor's quota is used up, or the time was over
            raise ReadonceError(
                "ZeroGPU did not read {name}: {why} Try again later.", name=document.name, why=error.message
            ) from error
        if isinstance(found, ReadonceError):
            raise found
        found = replace(found, memory=to_precision(found.memory, self._memory_precision))
        self._encoded.add(found.token_count)
        report(Progress(stage="encoding", done=total, total=total, unit="tokens"))
        yield found
