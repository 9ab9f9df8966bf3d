"""The decoder's forward passes on a GPU, captured once and replayed (CUDA graphs).

A pass is well over a thousand kernels, and a processor takes longer to launch them one after the other than the GPU to
run them: on an H100 a token took the same 50 ms over 8,192 states and over 32,768. A graph launches them all at once.
It reads and writes the same memory every time, with the same shapes. So there is one graph for each of a few shapes,
into which documents and answers are copied; what a document or a batch does not fill is masked.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock

import torch

from model.decoder.backends import EagerBackend, NativeBackend, Operands
from model.decoder.document_forms import AbsorbedForm
from model.decoder.forward import ANSWER_STOPPED, DecoderOutput, DecodeState, forward
from model.decoder.output_head import OutputHead
from model.errors import raise_if_cancelled
from model.network.kv_cache import SelfAttentionCache
from model.network.residency import has_weights_on_device
from model.network.t5gemma2 import T5Gemma2
from model.types import Memory

_FEWEST_OF_SEVERAL = 8  # answers: the candidates for one come and go
_PROMPT_STEP, _LONGEST_PROMPT = 16, 64  # tokens: longer prompts seldom have the same length twice
_CAPACITY_STEP = 64
_SHORT, _SHORT_STEP, _LONG_STEP = 4096, 512, 4096  # document tokens
_MOST_IDLE_BYTES = 2**30  # of graphs that are kept for later

Pass = Callable[[], DecoderOutput]
Capture = Callable[[Pass, torch.device], Pass]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphShape:
    """What is the same at each replay: answers, new tokens of each, and room for own and for document tokens."""

    answers: int
    size: int
    capacity: int
    tokens: int
    return_attention: bool


class CudaGraph:
    """A pass of one shape with the memory that it works on: a document's, and that of N answers, its `state`."""

    def __init__(self, model: T5Gemma2, head: OutputHead, shape: GraphShape, *, capture: Capture | None = None) -> None:
        """`capture` makes of a pass one that repeats it; None: a CUDA graph does."""
        self._capture = capture or capture_graph
        config, device, dtype = model.model.decoder.config, model.device, model.dtype
        layers, heads = config.num_hidden_layers, config.num_key_value_heads
        self.shape = shape
        self._positions = torch.arange(shape.size, device=device)
        self._visible_mask = torch.zeros(shape.answers, shape.tokens, dtype=torch.bool, device=device)
        kv_cache = SelfAttentionCache.empty(model, shape.answers, shape.capacity, device)
        kv_cache.buffer.zero_()  # what is not written yet is multiplied by zero
        kv_cache.at = self._positions
        self.state = DecodeState(
            cache=kv_cache,
            starts=torch.zeros(shape.answers, dtype=torch.long, device=device),
            visible_mask=self._visible_mask,
        )
        self._memory = Memory(
            hidden=torch.zeros(shape.tokens, config.hidden_size, dtype=dtype, device=device),
            key_inv_rms=torch.zeros(layers, heads, shape.tokens, device=device),
        )
        self._model, self._head = model, head
        self._hidden = torch.zeros(shape.answers, shape.size, config.hidden_size, dtype=dtype, device=device)
        self._document_tokens = 0
        self._has_run = False
        self._replay: Pass | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the cache and of the document; intermediate results come on top."""
        return self.state.cache.buffer.nbytes + self._memory.nbytes

    def load(self, memories: Sequence[Memory], state: DecodeState) -> None:
        """Copy a document, and answers as far as they are decoded, into the graph's own memory."""
        own, answers, length = self.state, len(state.starts), state.cache.length
        first = 0
        for memory in memories:
            last = first + len(memory.hidden)
            self._memory.hidden[first:last] = memory.hidden
            self._memory.key_inv_rms[..., first:last] = memory.key_inv_rms
            first = last
        self._document_tokens = first
        own.cache.length = length
        own.cache.filled[:, :, :answers] = state.cache.filled
        self._positions.copy_(torch.arange(length, length + self.shape.size))
        own.starts.zero_()[:answers] = state.starts
        self._visible_mask.zero_()[:answers, :first] = (
            True if state.visible_mask is None else state.visible_mask[:, :first]
        )

    def select(self, answers: torch.Tensor) -> None:
        """Go on with these answers alone, (M,) indices, no more than the shape has."""
        own = self.state
        for tensor, dim in ((own.cache.buffer, 2), (own.starts, 0), (self._visible_mask, 0)):
            tensor.narrow(dim, 0, len(answers)).copy_(tensor.index_select(dim, answers))

    def __call__(self, hidden: torch.Tensor) -> DecoderOutput:
        """Run the embeddings (N, S, H) of the next tokens of the first N answers; the shape's others do not count."""
        answers = len(hidden)
        self._hidden[:answers] = hidden
        if self._has_run and self._replay is None:  # kernels that were never loaded cannot be captured
            self._replay = self._capture(self._run, hidden.device)
        output = self._replay() if self._replay else self._run()
        self._has_run = True
        self.state.cache.length += self.shape.size
        tokens = self._document_tokens
        return DecoderOutput(
            logits=output.logits[:answers].clone(),
            attention=output.attention[:answers, :tokens].clone(),
            middle_layer_attention=output.middle_layer_attention[:answers, :tokens].clone(),
        )

    def _run(self) -> DecoderOutput:
        output = forward(
            self._model,
            self._head,
            AbsorbedForm([self._memory]),
            self.state,
            self._hidden,
            self._positions,
            key_count=self.shape.capacity,
            return_attention=self.shape.return_attention,
        )
        self._positions += self.shape.size
        return output


def capture_graph(work: Pass, device: torch.device) -> Pass:
    """Capture a pass. The result runs it again, in the same memory; each output overwrites the one before."""
    graph = torch.cuda.CUDAGraph()
    stream, lock = _capture_stream(device)
    with lock, torch.cuda.device(device):
        torch.cuda.current_blas_handle()  # made now for this thread: it cannot be made during a capture
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            output = work()

    def replay() -> DecoderOutput:
        graph.replay()
        return output

    return replay


@cache
def _capture_stream(device: torch.device) -> tuple[torch.cuda.Stream, Lock]:
    """The stream on which a GPU's passes are captured, by one thread at a time."""
    return torch.cuda.Stream(device), Lock()


MakeGraph = Callable[[T5Gemma2, OutputHead, GraphShape], CudaGraph]


class CudaGraphPool:
    """A model's graphs, each acquired by one decoder at a time."""

    def __init__(self, model: T5Gemma2, *, make: MakeGraph = CudaGraph, most_idle: int = 8) -> None:
        """`make` makes the graphs. `most_idle`: graphs that are kept for later."""
        self._model, self._head = model, OutputHead(model)
        self._make, self._most_idle = make, most_idle
        self._idle: list[CudaGraph] = []  # the last used last
        self._lock = Lock()

    @classmethod
    def of(cls, model: T5Gemma2) -> CudaGraphPool | None:
        """None where passes cannot be captured: the decoder is not on a GPU, or not with all its weights."""
        whole = all(map(has_weights_on_device, model.model.decoder.layers))
        return cls(model) if whole and model.device.type == "cuda" else None

    def bind(self, memories: Sequence[Memory], capacity: int, *, return_attention: bool) -> GraphedPasses:
        """The passes of one decoder over these memories, which lie on the device; capacity is its tokens at most."""
        return GraphedPasses(self, memories, capacity, return_attention=return_attention)

    def acquire(self, shape: GraphShape) -> CudaGraph:
        """A graph that nobody else works with."""
        with self._lock:
            for graph in self._idle:
                if graph.shape == shape:
                    self._idle.remove(graph)
                    return graph
        return self._make(self._model, self._head, shape)

    def release(self, graph: CudaGraph) -> None:
        """Keep a graph for the next decoder, as long as there are few."""
        with self._lock:
            self._idle.append(graph)
            while len(self._idle) > self._most_idle or sum(idle.nbytes for idle in self._idle) > _MOST_IDLE_BYTES:
                del self._idle[0]


class GraphedPasses:
    """The passes of one decoder. Its state lies in the graph that ran last."""

    def __init__(
        self, pool: CudaGraphPool, memories: Sequence[Memory], capacity: int, *, return_attention: bool
    ) -> None:
        self._pool = pool
        self._memories = memories
        self._return_attention = return_attention
        self._capacity = _round_up(capacity + _PROMPT_STEP, _CAPACITY_STEP)
        tokens = sum(len(memory.hidden) for memory in memories)
        self._tokens = _round_up(max(1, tokens), _SHORT_STEP if tokens <= _SHORT else _LONG_STEP)
        self._graph: CudaGraph | None = None
        self._release: Callable[[], object] = lambda: None

    @staticmethod
    def padded_length(prompt_tokens: int) -> int:
        """To how many tokens a prompt is padded, so that others have the same length."""
        return _round_up(prompt_tokens, _PROMPT_STEP) if prompt_tokens <= _LONGEST_PROMPT else prompt_tokens

    @staticmethod
    def supports(size: int) -> bool:
        """Whether so many new tokens at a time are worth a graph."""
        return size <= _LONGEST_PROMPT

    def forward(self, state: DecodeState, hidden: torch.Tensor) -> DecoderOutput:
        """Run new tokens' embeddings (N, S, H). The state is bound to the tensors of the graph from then on."""
        answers, size, _ = hidden.shape
        graph = self._graph
        if graph is None or graph.shape.size != size or graph.shape.answers < answers:
            graph = self._pool.acquire(self._shape(answers, size))
            graph.load(self._memories, state)
            self._change_to(graph)
        output = graph(hidden)
        state.rebind(graph.state)
        return output

    def select(self, state: DecodeState, answers: torch.Tensor) -> DecodeState:
        """These answers alone, (M,) indices: in place where the graph has room."""
        if self._graph is not None and len(answers) <= self._graph.shape.answers:
            self._graph.select(answers)
            return state
        selected = state.select(answers)
        self._change_to(None)
        return selected

    def _shape(self, answers: int, size: int) -> GraphShape:
        most = 1 if answers == 1 else _FEWEST_OF_SEVERAL
        while most < answers:
            most *= 2
        return GraphShape(
            answers=most,
            size=size,
            capacity=self._capacity,
            tokens=self._tokens,
            return_attention=self._return_attention,
        )

    def _change_to(self, graph: CudaGraph | None) -> None:
        """Release the graph before; release this one when nobody needs the passes any more."""
        self._release()
        self._graph, self._release = graph, lambda: None
        if graph is not None:
            self._release = finalizer = weakref.finalize(self, self._pool.release, graph)
            finalizer.atexit = False


class CudaGraphBackend:
    """Graphs for short prompts and single tokens; the eager backend for longer prompts."""

    def __init__(self, operands: Operands, passes: GraphedPasses, eager: EagerBackend | NativeBackend) -> None:
        self._operands = operands
        self._passes = passes
        self._eager = eager

    def padded_length(self, prompt_tokens: int) -> int:
        return self._passes.padded_length(prompt_tokens)

    def forward(self, state: DecodeState, tokens: torch.Tensor, *, return_attention: bool) -> DecoderOutput:
        if not self._passes.supports(tokens.shape[1]):
            return self._eager.forward(state, tokens, return_attention=return_attention)
        raise_if_cancelled(self._operands.cancelled, ANSWER_STOPPED)
        return self._passes.forward(state, self._operands.model.model.decoder.embed_tokens(tokens))

    def select(self, state: DecodeState, answers: torch.Tensor) -> DecodeState:
        return self._passes.select(state, answers)

    def is_batch_invariant(self, _tokens: int) -> bool:
        return False


def _round_up(number: int, step: int) -> int:
    return -(-number // step) * step
