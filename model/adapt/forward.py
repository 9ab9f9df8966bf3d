"""A training step's forward pass: both stacks on a batch, through transformers' own modules, and the loss."""

import torch
from torch.nn import functional
from transformers import T5Gemma2ForConditionalGeneration

from model.adapt.data import IGNORED, Batch, Shape
from model.encoder_attention import sliding_window_mask
from model.windows import plan_windows


def window_masks(window_ids: torch.Tensor, sliding_window: int) -> dict[str, torch.Tensor]:
    """The encoder's masks by layer type, (N, 1, W, W) bool: padding hides; local layers see half a window a side."""
    size = window_ids.shape[1]
    seen = (window_ids != 0)[:, None, None, :]
    near = sliding_window_mask(size, sliding_window, window_ids.device)
    # A padded row must see something, or its softmax is NaN
    diagonal = torch.eye(size, dtype=torch.bool, device=seen.device)
    return {"full_attention": seen | diagonal, "sliding_attention": (seen & near) | diagonal}


def question_masks(batch: Batch, sliding_window: int) -> dict[str, torch.Tensor]:
    """The decoder's own masks by layer type, (D, 1, S, S) bool: a question looks back at itself alone."""
    own = batch.question[:, :, None] == batch.question[:, None, :]
    distance = batch.positions[:, :, None] - batch.positions[:, None, :]
    causal = own & (distance >= 0)
    near = causal & (distance < sliding_window)
    return {"full_attention": causal[:, None], "sliding_attention": near[:, None]}


def joined_rows(shape: Shape) -> torch.Tensor:
    """Which rows of the k encoded windows of a document form its memory: (T,) indices into k * W rows."""
    rows: list[int] = []
    for index, window in enumerate(plan_windows(shape.length, shape.window - 1, shape.overlap)):
        first = index * shape.window
        offset = first + 1 - window.start
        rows += [first, *range(offset + window.keep_start, offset + window.keep_end)]
    return torch.tensor(rows)


def answer_logits(
    model: T5Gemma2ForConditionalGeneration, batch: Batch, shape: Shape
) -> tuple[torch.Tensor, torch.Tensor]:
    """Decoder states at the answers' tokens, (N, H), and their targets, (N,). One forward pass of both stacks."""
    batch = batch.to(model.device)
    sliding = int(model.model.decoder.config.sliding_window or batch.window_ids.shape[1])
    encoder = model.model.encoder(input_ids=batch.window_ids, attention_mask=window_masks(batch.window_ids, sliding))
    rows = joined_rows(shape) if shape.windows > 1 else slice(None)
    hidden = encoder.last_hidden_state
    memory = hidden.reshape(shape.documents, -1, hidden.shape[-1])[:, rows]
    seen = (batch.window_ids != 0).reshape(shape.documents, -1)[:, rows]
    cross_mask = (seen[:, None, :] & batch.shown)[:, None]
    states = model.model.decoder(
        input_ids=batch.answer_ids,
        position_ids=batch.positions,
        attention_mask=question_masks(batch, sliding),
        encoder_attention_mask={"full_attention": cross_mask},
        encoder_hidden_states=memory,
        use_cache=False,
    ).last_hidden_state
    asked = batch.targets != IGNORED
    return states[asked], batch.targets[asked]


class Head:
    """The tied output head over the tokens that occur in the data only: 262,144 logits would be a fifth of a step."""

    def __init__(self, embeddings: torch.Tensor, used: torch.Tensor) -> None:
        self.weight = embeddings[used]
        self.index = torch.full((embeddings.shape[0],), IGNORED, device=embeddings.device)
        self.index[used] = torch.arange(len(used), device=embeddings.device)

    def loss(self, states: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-entropy in nats, summed, and whether each token is the most likely one."""
        logits = functional.linear(states, self.weight).float()
        wanted = self.index[targets]
        loss = functional.cross_entropy(logits, wanted, ignore_index=IGNORED, reduction="sum")
        return loss, logits.argmax(-1) == wanted


@torch.no_grad()
def exact_matches(model: T5Gemma2ForConditionalGeneration, head: Head, batches: list[tuple[Batch, Shape]]) -> float:
    """Share of questions whose every answer token is the most likely one: greedy decoding answers them exactly."""
    right = asked = 0
    for batch, shape in batches:
        states, targets = answer_logits(model, batch, shape)
        _, correct = head.loss(states, targets)
        wrong = torch.zeros_like(batch.targets, dtype=torch.bool)
        wrong[batch.targets != IGNORED] = ~correct.to(wrong.device)
        for document in range(shape.documents):
            for number in batch.question[document].unique().tolist():
                if number >= 0:
                    asked += 1
                    right += int(not wrong[document, batch.question[document] == number].any())
    return right / max(asked, 1)
