"""The values that pass between the layers, to be read first: bytes -> Document -> EncodedDocument -> Answer.

Shapes: T document tokens, H hidden size, L decoder layers, K key-value heads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the worker that opens files needs `Page`, and must start without torch
    import torch

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 as fractions of the page's width and height, origin at the top left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word of a page: `page.text[start:end]`, and where it stands on the page."""

    start: int
    end: int
    box: Box
    hidden: bool = False  # in the text layer, but a person looking at the page cannot see it


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell of a table: `page.text[start:end]` where its value is written first. Rows and columns count from 0."""

    row: int
    column: int
    start: int
    end: int
    row_span: int = 1
    column_span: int = 1
    header: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of a page, which is written row by row in `page.text[start:end]`."""

    start: int
    end: int
    rows: int
    columns: int
    cells: tuple[Cell, ...]


PageView = Literal["text", "image", "both"]
"""How a page enters the encoder."""

PagePart = Literal[
    "the whole page", "the text layer", "reading order", "hidden words", "form fields", "notes", "writing in pictures",
    "figures",
]  # fmt: skip
"""What a page is read for, part by part, in words for a person: one that fails leaves the others standing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: its text in reading order, and the boxes of its words. Width and height are in points."""

    number: int  # from 1, as in the file: a page range keeps the file's own numbers
    text: str
    words: tuple[Word, ...]
    width: float
    height: float
    source: Literal["text", "ocr", "tags"] = "text"  # tags: not in the picture, but what a classifier calls it
    unread_boxes: int = 0  # places where OCR saw writing that it could not read with confidence
    unread_parts: tuple[PagePart, ...] = ()  # what could not be read, because the file is damaged there
    figures: float = 0.0  # share of the page that pictures and drawings cover, 0..1
    view: PageView = "text"
    label: str = ""  # by which it is cited where the file has no page numbers: a slide, a sheet, a heading
    remark: str = ""  # what a reader of the page should know, such as the encoding that its text was taken to be in
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as text with places. `sha256` is the hash of the file's bytes: the same file is the same document."""

    name: str
    sha256: str
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a piece of work has come: `done` of `total` units of the named stage."""

    stage: Literal["opening", "reading", "recognising", "seeing", "encoding"]
    done: int
    total: int
    unit: Literal["pages", "tokens", "documents"]  # while it waits to be opened: those that go first


ProgressCallback = Callable[[Progress], None]
CancelledCallback = Callable[[], bool]
PauseCallback = Callable[[int], None]
"""Takes how many tokens are read so far, and returns when reading may go on; it may raise Cancelled."""


Precision = Literal["float32", "bfloat16", "int8"]
"""In which numbers the states of a memory are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the decoder attends to: the encoder's last hidden states and the inverse RMS of their keys.

    hidden: (T, H), as int8 with hidden_scales (T,) and channel_scales (H,) float32, a number being the product of all
    three. key_inv_rms: (L, K, T) float32, `1 / rms(W_k h_t)` of every decoder layer
    (`model/decoder/document_forms.py`).
    """

    hidden: torch.Tensor
    key_inv_rms: torch.Tensor
    hidden_scales: torch.Tensor | None = None
    channel_scales: torch.Tensor | None = None

    @property
    def nbytes(self) -> int:
        tensors = (self.hidden, self.key_inv_rms, self.hidden_scales, self.channel_scales)
        return sum(tensor.nbytes for tensor in tensors if tensor is not None)


Intent = Literal[
    "fact", "follow_up", "about", "summary", "key_points", "title", "authors", "date", "audience", "about_file",
    "section", "list_all", "count_all", "calculate", "compare", "translate", "write", "chat",
]  # fmt: skip
"""What a question wants. `follow_up`: it is to be understood with the turn before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalProjection:
    """The matrices by which a checkpoint's encoder states are compared (`model/answering/late_interaction.py`).

    document and question: (H, R) float32; document_mean and question_mean: (H,) float32, subtracted before.
    """

    document: torch.Tensor
    question: torch.Tensor
    document_mean: torch.Tensor
    question_mean: torch.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterWeights:
    """A linear classifier of questions by what they want (`model/answering/router.py`).

    matrix: (C, F) and bias: (C,), float32, a row for each of the C intents. Below the probability `least` a question
    is taken for one about a fact.
    """

    intents: tuple[Intent, ...]
    matrix: torch.Tensor
    bias: torch.Tensor
    least: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationWeights:
    """A logistic regression of whether an answer is right (`model/answering/confidence.py`).

    weights: by feature, with "bias". doubt_below: the probability under which a person is warned.
    """

    weights: Mapping[str, float]
    doubt_below: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMap:
    """Where each token of the memory comes from. Each tensor is (T,) int32.

    pages: page *numbers*, and 0 for a token that is on no page (the `<bos>` of a chunk, a page separator). starts and
    ends: character offsets into that page's text.
    """

    ids: torch.Tensor
    pages: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedDocument:
    """A document, read once: it *is* the cache. Any number of questions are answered from it."""

    document: Document
    memory: Memory
    tokens: TokenMap
    fingerprint: str  # of the checkpoint that read it; another one cannot use it
    chunks: int
    encode_seconds: float
    is_excerpt: bool = False  # tokens and pages that a question needs, not all of the document's

    @property
    def token_count(self) -> int:
        return int(self.memory.hidden.shape[0])

    @property
    def cache_bytes(self) -> int:
        """Bytes of the tensors that answering reads."""
        return self.memory.nbytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One earlier question of the conversation and the answer it got."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationOptions:
    """How to decode. Temperature 0 gives the best of the likeliest answers (`Checkpoint.reranker_weights`), or the
    greedy one where the checkpoint does not rank them; otherwise tokens are drawn from the `top_p` nucleus.
    """

    max_new_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 0.95
    seed: int = 0
    whole_document: bool = False  # attend to all of it, also if the checkpoint answers better from passages


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A place that an answer rests on, score in 0..1.

    `page.text[start:end]` are the answer's own words where it stands there verbatim, and the most attended line
    otherwise. quote: the sentence or row that they stand in.
    """

    document: str
    document_index: int  # among the encodings that were asked together
    page: int
    start: int
    end: int
    quote: str
    score: float
    words: str = ""  # those of the place, by which it is found where the page has come to be read otherwise
    label: str = ""  # by which the page is cited where the file has no page numbers
    verbatim: bool  # the answer's own words are here; otherwise it is the most attended place
    hidden: bool = False  # some of its words cannot be seen on the page (`Word.hidden`)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAttention:
    """A page's share of an answer's attention over the document; the shares of all pages that were asked sum to 1.

    first_token_attention is the share of the attention before the answer's first token, which finds the place that is
    asked about; these sum to 1, too.
    """

    document_index: int  # among the encodings that were asked together
    page: int
    share: float
    first_token_attention: float = 0.0


StopReason = Literal["", "end", "length", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A snapshot of an answer while it is decoded; the last one is `finished`.

    text: the document's words, or, if `is_message`, ours in English, which are shown in the person's language.
    """

    question: str
    text: str = ""
    finished: bool = False
    stop_reason: StopReason = ""
    tokens: int = 0
    seconds: float = 0.0
    first_token_seconds: float = 0.0
    shown_tokens: int = 0  # document tokens that the decoder attended to
    encoder_tokens: int = 0  # document tokens that were encoded for this answer: 0, and counted, not assumed
    found: bool = True  # whether the document answers the question, as far as the decoder can tell
    is_message: bool = False  # whether `text` is a message of ours instead of an answer
    probability: float = 0.0  # geometric mean probability of the answer's tokens
    # The probability that the answer is right, as the checkpoint is calibrated; of one that is not, `probability`.
    confidence: float = 0.0
    doubtful: bool = False  # whether the person should check it
    evidence: tuple[Evidence, ...] = field(default=())
    attention: tuple[PageAttention, ...] = field(default=())  # of every page that was asked

    @property
    def size_bytes(self) -> int:
        """What it takes in memory, about: most of it are the values for every page."""
        return (
            400
            + len(self.text)
            + 150 * len(self.attention)
            + sum(300 + len(place.quote) + len(place.words) for place in self.evidence)
        )
