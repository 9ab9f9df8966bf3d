"""ZeroGPU lends a GPU to decorated functions only, in a forked process, for as many seconds as they asked for.

Documents are encoded there; questions are answered on the CPU and cost no quota. What crosses the border is pickled:
texts and pictures one way, CPU tensors or an error the other way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from model.checkpoints.lent_gpu import is_lent
from model.errors import ReadonceError

if TYPE_CHECKING:  # on a Space `spaces` is imported before torch
    from model.checkpoints.checkpoint import Checkpoint
    from model.types import Document, EncodedDocument

Decorate = Callable[..., Any]
Pictures = Mapping[int, NDArray]  # page number -> (height, width, 3) uint8

# For the seconds that are asked for: guesses on the safe side, because a task that takes longer is ended.
START_SECONDS = 5.0
WEIGHT_BYTES_A_SECOND = 2e9  # from memory to the GPU
OPERATIONS_A_SECOND = 3e13
CHARACTERS_A_TOKEN = 3
TOKENS_A_PICTURE = 260
PICTURE_OPERATIONS = 5e12  # SigLIP 400M on 4,096 patches
LONGEST_SECONDS = 120  # what somebody without an account may have in a day


class ZeroGpu:
    """The function that ZeroGPU runs. It must be decorated before the page is served; its engine comes later."""

    def __init__(
        self, decorate: Decorate, *, device: str = "cuda", operations_a_second: float = OPERATIONS_A_SECOND
    ) -> None:
        """`decorate`: `spaces.GPU`. `operations_a_second`: what the GPU is believed to do."""
        self._operations_a_second = operations_a_second
        self._decorate = decorate
        self._device = device
        self._checkpoint: Checkpoint | None = None
        self.encode = self._lent()

    @classmethod
    def borrowed(cls) -> ZeroGpu | None:
        """The Space's GPU, or None where nothing is lent."""
        if not is_lent():
            return None
        import spaces

        return cls(spaces.GPU)

    def serve(self, checkpoint: Checkpoint) -> None:
        """Encode with this checkpoint. Processes that were forked with the one before stay with their old function."""
        if self._checkpoint is not None:
            self.encode = self._lent()
        self._checkpoint = checkpoint

    def _lent(self) -> Callable[[Document, Pictures, bool], EncodedDocument | ReadonceError]:
        """The decorated function, a new one each time: the decorator keeps processes by function."""
        decorated: Callable[[Document, Pictures, bool], EncodedDocument | ReadonceError] = self._decorate(
            duration=self.seconds
        )(partial(self._encode))
        return decorated

    def seconds(self, document: Document, pictures: Pictures, pan_and_scan: bool) -> int:
        """How long to ask for: little, because what is asked for is compared with what the person has left."""
        images = len(pictures) * (5 if pan_and_scan else 1)
        tokens = sum(len(page.text) for page in document.pages) / CHARACTERS_A_TOKEN + images * TOKENS_A_PICTURE
        parameters = sum(weight.numel() for weight in self._loaded.model.parameters())
        moving = 2 * parameters / WEIGHT_BYTES_A_SECOND
        computing = (2 * parameters * tokens + images * PICTURE_OPERATIONS) / self._operations_a_second
        return min(round(START_SECONDS + moving + computing), LONGEST_SECONDS)

    @property
    def _loaded(self) -> Checkpoint:
        if self._checkpoint is None:
            raise ReadonceError("The model is still loading. Try again in a moment.")
        return self._checkpoint

    def _encode(self, document: Document, pictures: Pictures, pan_and_scan: bool) -> EncodedDocument | ReadonceError:
        """In the process with the GPU. An error comes back as a value: ZeroGPU would drop its message."""
        from model.engine import Engine

        model: Any = self._loaded.model
        model.to(self._device)
        try:
            encoded = Engine(self._loaded).encode(document, picture=pictures.__getitem__, pan_and_scan=pan_and_scan)
        except ReadonceError as error:
            return error
        memory = encoded.memory
        return replace(
            encoded, memory=replace(memory, hidden=memory.hidden.cpu(), key_inv_rms=memory.key_inv_rms.cpu())
        )
