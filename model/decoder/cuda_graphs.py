"""Which recordings of a model there are (`recording.py`), and which one a decoder's next pass goes by."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from threading import Lock

import torch

from model.decoder.cuda_graph import Recording, Shape
from model.decoder.forward import DecoderOutput, Running
from model.decoder.output_head import OutputHead
from model.network.residency import is_resident
from model.network.t5gemma2 import T5Gemma2
from model.types import Memory

_FEWEST_OF_SEVERAL = 8  # answers: the candidates for one come and go
_PROMPT_STEP, _LONGEST_PROMPT = 16, 64  # tokens: longer prompts seldom have the same length twice
_CAPACITY_STEP = 64
_SHORT, _SHORT_STEP, _LONG_STEP = 4096, 512, 4096  # document tokens
_MOST_IDLE, _MOST_IDLE_BYTES = 8, 2**30  # that are kept for later


class Recordings:
    """A model's recordings, each lent to one decoder at a time."""

    def __init__(self, model: T5Gemma2) -> None:
        self._model, self._head = model, OutputHead(model)
        self._idle: list[Recording] = []  # the last used last
        self._lock = Lock()

    @classmethod
    def of(cls, model: T5Gemma2) -> Recordings | None:
        """None where the decoder's passes cannot be recorded: it is not on a GPU, or not with all its weights."""
        here = all(map(is_resident, model.model.decoder.layers))
        return cls(model) if here and model.device.type == "cuda" else None

    def over(self, memories: Sequence[Memory], capacity: int, *, looking: bool) -> RecordedPasses:
        """Of a decoder over these memories, placed, whose answers have so many tokens at most, with their prompts."""
        return RecordedPasses(self, memories, capacity, looking=looking)

    def lend(self, shape: Shape) -> Recording:
        """One that nobody else works with."""
        with self._lock:
            for recording in self._idle:
                if recording.shape == shape:
                    self._idle.remove(recording)
                    return recording
        return Recording(self._model, self._head, shape)

    def take_back(self, recording: Recording) -> None:
        """It is kept for the next, as long as there are few."""
        with self._lock:
            self._idle.append(recording)
            while len(self._idle) > _MOST_IDLE or sum(idle.nbytes for idle in self._idle) > _MOST_IDLE_BYTES:
                del self._idle[0]


class RecordedPasses:
    """The passes of one decoder. What is running lies in the recording that the last pass went by."""

    def __init__(self, recordings: Recordings, memories: Sequence[Memory], capacity: int, *, looking: bool) -> None:
        self._recordings = recordings
        self._memories = memories
        self._looking = looking
        self._capacity = _up(capacity + _PROMPT_STEP, _CAPACITY_STEP)
        tokens = sum(len(memory.hidden) for memory in memories)
        self._tokens = _up(max(1, tokens), _SHORT_STEP if tokens <= _SHORT else _LONG_STEP)
        self._recording: Recording | None = None
        self._give_back: Callable[[], object] = lambda: None

    @staticmethod
    def prompt_room(tokens: int) -> int:
        """To how many tokens a prompt is filled up, so that others have the same length."""
        return _up(tokens, _PROMPT_STEP) if tokens <= _LONGEST_PROMPT else tokens

    @staticmethod
    def take(size: int) -> bool:
        """Whether so many new tokens at a time are worth a recording."""
        return size <= _LONGEST_PROMPT

    def go_through(self, running: Running, hidden: torch.Tensor) -> tuple[Running, DecoderOutput]:
        """New tokens' embeddings (N, S, H) of what is running, which then lies where the first of the two says."""
        answers, size, _ = hidden.shape
        recording = self._recording
        if recording is None or recording.shape.size != size or recording.shape.answers < answers:
            recording = self._recordings.lend(self._shape(answers, size))
            recording.begin(self._memories, running)
            self._change(recording)
        return recording.running, recording(hidden)

    def taken(self, running: Running, answers: torch.Tensor) -> Running:
        """These answers alone, (M,) indices: in their place where there is room."""
        if self._recording is not None and len(answers) <= self._recording.shape.answers:
            self._recording.keep(answers)
            return running
        outgrown = running.taken(answers)
        self._change(None)
        return outgrown

    def _shape(self, answers: int, size: int) -> Shape:
        most = 1 if answers == 1 else _FEWEST_OF_SEVERAL
        while most < answers:
            most *= 2
        return Shape(answers=most, size=size, capacity=self._capacity, tokens=self._tokens, looking=self._looking)

    def _change(self, recording: Recording | None) -> None:
        """This one from now on; the one before goes back, and this one when nobody needs the passes any more."""
        self._give_back()
        self._recording, self._give_back = recording, lambda: None
        if recording is not None:
            self._give_back = given = weakref.finalize(self, self._recordings.take_back, recording)
            given.atexit = False


def _up(number: int, step: int) -> int:
    return -(-number // step) * step
