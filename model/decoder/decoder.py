"""The decoder side: question and answer tokens over memories, through the modules of a T5Gemma 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from model.decoder.cuda_graphs import Recordings
from model.decoder.document_forms import AbsorbedForm, DocumentForm, ProjectedForm, choose_form
from model.decoder.forward import ANSWER_STOPPED, DecoderOutput, Running, go_through, output_of, rotary_at
from model.decoder.output_head import OutputHead
from model.decoder.prefix_cache import Prefixes
from model.encoding.memory import placed
from model.errors import Cancelled, heed
from model.kernels.decoder_layers import DecoderLayers, LayersOver
from model.network.kv_cache import SelfAttentionCache
from model.network.t5gemma2 import T5Gemma2
from model.types import CancelledCallback, Memory

_ROWS_AT_ONCE = 2**12  # tokens of all questions together: bounds the memory that long prompts need


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderParts:
    """What a model's decoders share, where there is more than the model.

    head: another one than the plain. layers: take a few tokens at a time where the document is attended to as states.
    recordings: take short prompts and single tokens. prefixes: know what a question that is shown everything begins
    with, and will know the next one.
    """

    head: OutputHead | None = None
    layers: DecoderLayers | None = None
    recordings: Recordings | None = None
    prefixes: Prefixes | None = None

    @classmethod
    def of(cls, model: T5Gemma2) -> DecoderParts:
        """Those that there are from the start."""
        return cls(recordings=Recordings.of(model), prefixes=Prefixes())


class Decoder:
    """Decodes the answers to N questions over the same memories, all read once a layer and step for all questions.

    It holds the answers' own keys and values, so each batch of answers makes its own.
    """

    def __init__(
        self,
        model: T5Gemma2,
        memories: Sequence[Memory],
        questions: int,
        capacity: int,
        parts: DecoderParts | None = None,
        cancelled: CancelledCallback | None = None,
        *,
        shown: torch.Tensor | None = None,
        evidence: bool = True,
    ) -> None:
        """`capacity` is the number of question and answer tokens that will be decoded at most, of each question.

        `shown`, (N, T) bool: the rows that each question may look at; None: all.

        `cancelled` is asked before every layer, so that a stop does not wait for a token; then Cancelled is raised.
        Without `evidence` nobody looks where the decoder looks: attention and sought of its outputs are (N, 0).
        """
        parts = parts or DecoderParts()
        self._native = parts.layers.over(memories) if parts.layers else None
        self._evidence = evidence
        self._cancelled = cancelled
        self._model = model
        self._head = parts.head or OutputHead(model)
        self._memories = memories
        self._form: DocumentForm | None = None
        self._device = memories[0].hidden.device
        self._recorded = parts.recordings.over(self._placed(), capacity, looking=evidence) if parts.recordings else None
        self._prefixes = parts.prefixes if questions == 1 and shown is None else None
        self._running = Running(
            cache=SelfAttentionCache.empty(model, questions, capacity, self._device),
            starts=torch.zeros(questions, dtype=torch.long, device=self._device),
            shown=shown,
        )

    @torch.inference_mode()
    def begin(self, prompts: Sequence[Sequence[int]]) -> DecoderOutput:
        """Decode the questions; the logits are those of each answer's first token."""
        longest = max(map(len, prompts))
        if self._recorded is not None:
            longest = self._recorded.prompt_room(longest)
        if self._native is None or not self._native.tiled:
            self._form = choose_form(self._model, self._placed(), len(prompts), longest)
        padding = [longest - len(prompt) for prompt in prompts]
        self._running.starts = torch.tensor(padding, device=self._device)
        rows = [[0] * missing + list(prompt) for missing, prompt in zip(padding, prompts, strict=True)]
        ids = torch.tensor(rows, device=self._device)[:, self._begin_with_what_is_known(prompts[0]) :]
        *earlier, piece = ids.split(max(1, _ROWS_AT_ONCE // len(prompts)), dim=1)
        for part in earlier:
            self._decode(part, looking=False)
        output = self._decode(piece, looking=self._evidence)
        if self._prefixes is not None and self._steady(len(prompts[0])):
            self._prefixes.keep(self._memories, prompts[0], self._running.cache.filled)
        return output

    @torch.inference_mode()
    def step(self, tokens: Sequence[int]) -> DecoderOutput:
        """Decode one more token of each answer; the logits are those of the token that comes next."""
        return self._decode(torch.tensor(tokens, device=self._device)[:, None], looking=self._evidence)

    @torch.inference_mode()
    def keep(self, questions: Sequence[int]) -> None:
        """Only these questions, by their place among those that still run, go on."""
        index = torch.tensor(questions, device=self._device)
        self._running = self._recorded.taken(self._running, index) if self._recorded else self._running.taken(index)

    def _steady(self, tokens: int) -> bool:
        """Whether so many at a time give each token's numbers to the last bit, whatever tokens go beside it."""
        return self._native is not None and self._native.steady(tokens) and self._native.pay(1, tokens)

    def _begin_with_what_is_known(self, prompt: Sequence[int]) -> int:
        """How many of its first tokens are in the cache from now on, as an earlier question left them."""
        if self._prefixes is None or not self._steady(len(prompt)):
            return 0
        anew = next(filter(self._steady, range(1, len(prompt) + 1)))  # the last tokens, which are decoded in any case
        known = self._prefixes.longest(self._memories, prompt[:-anew])
        cache = self._running.cache
        cache.length = 0 if known is None else known.shape[-2]
        if known is not None:
            cache.filled.copy_(known)
        return cache.length

    def _placed(self) -> list[Memory]:
        return [placed(memory, self._device, self._model.dtype) for memory in self._memories]

    def _decode(self, ids: torch.Tensor, *, looking: bool) -> DecoderOutput:
        hidden = self._model.model.decoder.embed_tokens(ids)  # (N, S, H)
        if self._recorded is not None and self._recorded.take(ids.shape[1]):
            heed(self._cancelled, ANSWER_STOPPED)
            self._running, output = self._recorded.go_through(self._running, hidden)
            return output
        cache = self._running.cache
        rows = cache.length + ids.shape[1]
        at = torch.arange(cache.length, rows, device=self._device)
        as_states = not isinstance(self._form, ProjectedForm)
        if self._native is not None and as_states and self._native.pay(*ids.shape):
            output = self._decode_natively(self._native, hidden, at, looking=looking)
        else:
            self._form = document = self._form or AbsorbedForm(self._placed())
            given = self._model, self._head, document, self._running, hidden, at
            output = go_through(*given, rows=rows, looking=looking, cancelled=self._cancelled)
        cache.length = rows
        return output

    def _decode_natively(
        self, layers: LayersOver, hidden: torch.Tensor, at: torch.Tensor, *, looking: bool
    ) -> DecoderOutput:
        running, hidden = self._running, hidden.float()  # (N, S, H)
        rotary = rotary_at(self._model, running, hidden, at)
        by_layer = [rotary[kind] for kind in self._model.model.decoder.config.layer_types]
        given = hidden, by_layer, running.starts, running.cache
        looks = layers.through(*given, shown=running.shown, looking=looking, cancelled=self._cancelled)
        if looks is None:
            raise Cancelled(ANSWER_STOPPED)
        return output_of(self._model, self._head, hidden[:, -1].to(self._model.dtype), looks)
