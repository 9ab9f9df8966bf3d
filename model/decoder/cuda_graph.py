"""Passes of the decoder on a GPU, recorded once and replayed (CUDA graphs).

A pass is well over a thousand kernels, and a processor takes longer to start them one after the other than the GPU to
run them: on an H100 a token took the same 50 ms over 8,192 states and over 32,768. A recording starts them all at once.
It reads and writes the same memory every time, with as many rows. So there is one for each of a few shapes, into which
documents and answers are copied; what a document or a batch does not fill is masked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock

import torch

from model.decoder.document_forms import AbsorbedForm
from model.decoder.forward import DecoderOutput, Running, go_through
from model.decoder.output_head import OutputHead
from model.network.kv_cache import SelfAttentionCache
from model.network.t5gemma2 import T5Gemma2
from model.types import Memory

Work = Callable[[], DecoderOutput]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of a pass is the same at each replay: answers, new tokens of each, and room for own and document tokens."""

    answers: int
    size: int
    capacity: int
    tokens: int
    looking: bool


class Recording:
    """A pass of one shape with the memory that it works on: of the document, and of the answers that are `running`."""

    def __init__(self, model: T5Gemma2, head: OutputHead, shape: Shape) -> None:
        config, device, dtype = model.model.decoder.config, model.device, model.dtype
        layers, heads = config.num_hidden_layers, config.num_key_value_heads
        self.shape = shape
        self._at = torch.arange(shape.size, device=device)  # where the new tokens go
        self._shown = torch.zeros(shape.answers, shape.tokens, dtype=torch.bool, device=device)
        cache = SelfAttentionCache.empty(model, shape.answers, shape.capacity, device)
        cache.buffer.zero_()  # what is not written yet is multiplied by zero
        cache.at = self._at
        self.running = Running(
            cache=cache,
            starts=torch.zeros(shape.answers, dtype=torch.long, device=device),
            shown=self._shown,
        )
        self._memory = Memory(
            hidden=torch.zeros(shape.tokens, config.hidden_size, dtype=dtype, device=device),
            key_scales=torch.zeros(layers, heads, shape.tokens, device=device),
        )
        self._model, self._head = model, head
        self._hidden = torch.zeros(shape.answers, shape.size, config.hidden_size, dtype=dtype, device=device)
        self._tokens = 0  # of the document
        self._done_once = False
        self._replay: Work | None = None

    @property
    def nbytes(self) -> int:
        """Of what it works on; what it needs in between comes on top."""
        return self.running.cache.buffer.nbytes + self._memory.nbytes

    def begin(self, memories: Sequence[Memory], running: Running) -> None:
        """Take over a document, and answers as far as they are."""
        own, answers, length = self.running, len(running.starts), running.cache.length
        first = 0
        for memory in memories:
            last = first + len(memory.hidden)
            self._memory.hidden[first:last] = memory.hidden
            self._memory.key_scales[..., first:last] = memory.key_scales
            first = last
        self._tokens = first
        own.cache.length = length
        own.cache.filled[:, :, :answers] = running.cache.filled
        self._at.copy_(torch.arange(length, length + self.shape.size))
        own.starts.zero_()[:answers] = running.starts
        self._shown.zero_()[:answers, :first] = True if running.shown is None else running.shown[:, :first]

    def keep(self, answers: torch.Tensor) -> None:
        """Only these go on, (M,) indices, no more than the shape has."""
        own = self.running
        for kept, dim in ((own.cache.buffer, 2), (own.starts, 0), (self._shown, 0)):
            kept.narrow(dim, 0, len(answers)).copy_(kept.index_select(dim, answers))

    def __call__(self, hidden: torch.Tensor) -> DecoderOutput:
        """The next tokens' embeddings (N, S, H) of the first N answers; the rest of the shape does not count."""
        answers = len(hidden)
        self._hidden[:answers] = hidden
        if self._done_once and self._replay is None:  # kernels that were never loaded cannot be recorded
            self._replay = record(self._work, hidden.device)
        output = self._replay() if self._replay else self._work()
        self._done_once = True
        self.running.cache.length += self.shape.size
        return DecoderOutput(
            logits=output.logits[:answers].clone(),
            attention=output.attention[:answers, : self._tokens].clone(),
            sought=output.sought[:answers, : self._tokens].clone(),
        )

    def _work(self) -> DecoderOutput:
        shape, document = self.shape, AbsorbedForm([self._memory])
        given = self._model, self._head, document, self.running, self._hidden, self._at
        output = go_through(*given, rows=shape.capacity, looking=shape.looking)
        self._at += shape.size
        return output


def record(work: Work, device: torch.device) -> Work:
    """What does the work again, in the memory that it is done in now; where it leaves its output, the next one will."""
    graph = torch.cuda.CUDAGraph()
    stream, alone = _recorder(device)
    with alone, torch.cuda.device(device):
        torch.cuda.current_blas_handle()  # made now for this thread: it cannot be while something is recorded
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            output = work()

    def replay() -> DecoderOutput:
        graph.replay()
        return output

    return replay


@cache
def _recorder(device: torch.device) -> tuple[torch.cuda.Stream, Lock]:
    """Where a GPU's work is recorded, by one thread at a time."""
    return torch.cuda.Stream(device), Lock()
