"""The decoder side: question and answer tokens over memories, through the modules of a T5Gemma 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from model.attention import SelfAttentionCache, merged_attention
from model.document_forms import AbsorbedForm, DocumentForm, ProjectedForm, choose_form
from model.errors import Cancelled
from model.memory import placed
from model.native.decoder_layers import DecoderLayers, LayersOver
from model.output_head import OutputHead
from model.products import feed_forward
from model.resident import resident
from model.t5gemma2 import Rotary, T5Gemma2
from model.types import CancelledCallback, Memory

_ROWS_AT_ONCE = 2**12  # tokens of all questions together: bounds the memory that long prompts need


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderOutput:
    """Of the last token of each question. logits: (N, vocabulary) float32. attention: (N, T) float32, layers' mean.

    sought: (N, T) float32, the attention of the middle global layer. Layers' mean follows the words that are being
    written; this layer, before the first of them, finds the place that is asked about (measured: `evidence` bench).
    """

    logits: torch.Tensor
    attention: torch.Tensor
    sought: torch.Tensor


class Decoder:
    """Decodes the answers to N questions over the same memories, all read once a layer and step for all questions.

    It holds the answers' own keys and values, so each batch of answers makes its own. Questions of unequal length are
    aligned at their ends: what stands before a short one is masked.
    """

    def __init__(
        self,
        model: T5Gemma2,
        memories: Sequence[Memory],
        questions: int,
        capacity: int,
        head: OutputHead | None = None,
        cancelled: CancelledCallback | None = None,
        *,
        shown: torch.Tensor | None = None,
        evidence: bool = True,
        layers: DecoderLayers | None = None,
    ) -> None:
        """`capacity` is the number of question and answer tokens that will be decoded at most, of each question.

        `shown`, (N, T) bool: the rows that each question may look at; None: all.

        `cancelled` is asked before every layer, so that a stop does not wait for a token; then Cancelled is raised.
        Without `evidence` nobody looks where the decoder looks: attention and sought of its outputs are (N, 0).
        `layers`, the same model's, take a few tokens at a time where the document is attended to as states.
        """
        self._native = layers.over(memories) if layers else None
        self._evidence = evidence
        self._cancelled = cancelled
        self._model = model
        self._head = head or OutputHead(model)
        self._memories = memories
        self._shown = shown
        self._form: DocumentForm | None = None
        self._device = memories[0].hidden.device
        config = model.model.decoder.config
        self._cache = SelfAttentionCache.empty(
            config.num_hidden_layers,
            (questions, config.num_key_value_heads, capacity, config.head_dim),
            memories[0].hidden.new_empty(0, dtype=model.dtype),
        )
        self._starts = torch.zeros(questions, dtype=torch.long, device=self._device)  # where each question begins

    @torch.inference_mode()
    def begin(self, prompts: Sequence[Sequence[int]]) -> DecoderOutput:
        """Decode the questions; the logits are those of each answer's first token."""
        longest = max(map(len, prompts))
        if self._native is None or not self._native.tiled:
            self._form = choose_form(self._model, self._placed(), len(prompts), longest)
        padding = [longest - len(prompt) for prompt in prompts]
        self._starts += torch.tensor(padding, device=self._device)
        rows = [[0] * missing + list(prompt) for missing, prompt in zip(padding, prompts, strict=True)]
        ids = torch.tensor(rows, device=self._device)
        *earlier, piece = ids.split(max(1, _ROWS_AT_ONCE // len(prompts)), dim=1)
        for part in earlier:
            self._decode(part, looking=False)
        return self._decode(piece, looking=self._evidence)

    @torch.inference_mode()
    def step(self, tokens: Sequence[int]) -> DecoderOutput:
        """Decode one more token of each answer; the logits are those of the token that comes next."""
        return self._decode(torch.tensor(tokens, device=self._device)[:, None], looking=self._evidence)

    def keep(self, questions: Sequence[int]) -> None:
        """Only these questions, by their place among those that still run, go on."""
        index = torch.tensor(questions, device=self._device)
        self._starts = self._starts[index]
        self._shown = None if self._shown is None else self._shown[index]
        self._cache.keep(index)

    def _biases(self, size: int) -> dict[str, torch.Tensor]:
        """What scores of `size` new tokens over all so far get, (N, 1, G * S, past + S) float32: 0 or minus infinity.

        Causal, and local layers look one window back.
        """
        config = self._model.model.decoder.config
        past = self._cache.length
        keys = torch.arange(past + size, device=self._device)
        distance = keys[past:, None] - keys
        causal = (distance >= 0) & (keys >= self._starts[:, None, None])
        near = distance < (config.sliding_window or past + size)
        groups = config.num_attention_heads // config.num_key_value_heads
        return {
            kind: torch.where(seen, 0.0, -torch.inf).repeat(1, groups, 1)[:, None]
            for kind, seen in (("full_attention", causal), ("sliding_attention", causal & near))
        }

    def _rotary(self, like: torch.Tensor, size: int) -> dict[str, Rotary]:
        """Cos and sin of `size` new tokens, in like's dtype, by kind of layer."""
        decoder = self._model.model.decoder
        past = self._cache.length
        positions = (torch.arange(past, past + size, device=self._device) - self._starts[:, None]).clamp(min=0)
        return {kind: decoder.rotary_emb(like, positions, kind) for kind in set(decoder.config.layer_types)}

    def _heed(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise _cancelled()

    def _placed(self) -> list[Memory]:
        return [placed(memory, self._device, self._model.dtype) for memory in self._memories]

    def _decode(self, ids: torch.Tensor, *, looking: bool) -> DecoderOutput:
        as_states = not isinstance(self._form, ProjectedForm)
        if self._native is not None and as_states and self._native.pay(*ids.shape):
            return self._decode_natively(self._native, ids, looking=looking)
        self._form = document = self._form or AbsorbedForm(self._placed())
        decoder = self._model.model.decoder
        hidden = decoder.embed_tokens(ids)  # (N, S, H)
        rotary = self._rotary(hidden, ids.shape[1])
        biases = self._biases(ids.shape[1])
        looks = []
        for kind, layer in zip(decoder.config.layer_types, decoder.layers, strict=True):
            self._heed()
            with resident(layer):
                normed = layer.pre_self_attn_layernorm(hidden)
                attended, attention = merged_attention(
                    layer.self_attn,
                    normed,
                    rotary[kind],
                    biases[kind],
                    self._cache,
                    document,
                    shown=self._shown,
                    looking=looking,
                )
                hidden = hidden + layer.post_self_attn_layernorm(attended)
                fed = feed_forward(layer.mlp, layer.pre_feedforward_layernorm(hidden))
                hidden = hidden + layer.post_feedforward_layernorm(fed)
                looks.append(attention)
        self._cache.length += ids.shape[1]
        return self._output(hidden[:, -1], torch.stack(looks))

    def _decode_natively(self, layers: LayersOver, ids: torch.Tensor, *, looking: bool) -> DecoderOutput:
        decoder = self._model.model.decoder
        hidden = decoder.embed_tokens(ids).float()  # (N, S, H)
        rotary = self._rotary(hidden, ids.shape[1])
        by_layer = [rotary[kind] for kind in decoder.config.layer_types]
        looks = layers.through(
            hidden, by_layer, self._starts, self._cache, shown=self._shown, looking=looking, cancelled=self._cancelled
        )
        if looks is None:
            raise _cancelled()
        self._cache.length += ids.shape[1]
        return self._output(hidden[:, -1].to(self._model.dtype), looks)

    def _output(self, hidden: torch.Tensor, looks: torch.Tensor) -> DecoderOutput:
        """Of the last tokens' states (N, H), and each layer's attention (L, N, T)."""
        decoder = self._model.model.decoder
        kinds = decoder.config.layer_types
        wide = [index for index, kind in enumerate(kinds) if kind == "full_attention"] or range(len(kinds))
        return DecoderOutput(
            logits=self._head(decoder.norm(hidden)),
            attention=looks.mean(0),
            sought=looks[wide[len(wide) // 2]],
        )


def _cancelled() -> Cancelled:
    return Cancelled("Stopped before the answer began.")
