"""What goes between the page and the replicas, beside the model's own values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.library.files import EncodingName
from model.types import EncodedDocument, GenerationOptions, Precision, Turn

MOST_AT_ONCE: Final = 16  # requests that a replica takes; what waits there for the same document is answered together
FALLBACKS: Final = 2  # further replicas that a request may go to where the one that holds its document has too many
CACHE_MEGABYTES: Final = 2_000  # of encodings that an answerer holds


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaOptions:
    """What every replica works with. model: the checkpoint, by its name."""

    model: str
    cache_folder: Path
    folder: Path  # of the encodings
    precision: Precision
    cache_bytes: int = CACHE_MEGABYTES * 1_000_000
    accelerate: bool = True  # whether it compiles and loads the faster backend


@dataclass(frozen=True, slots=True, eq=False)
class Enclosed:
    """An encoding that does not lie in the folder: an excerpt, or the part of a document that is read so far."""

    encoded: EncodedDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What questions share that are answered together."""

    encodings: tuple[EncodingName | Enclosed, ...]
    history: tuple[Turn, ...] = ()
    options: GenerationOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How many replicas there are: more where more is asked, up to `most`. Each has so many cores."""

    least: int = 1
    most: int = 1
    cores: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheFigures:
    """Of an answerer: its process, how often it had an encoding already, how often it did not, and what it holds."""

    process: int
    hits: int
    misses: int
    used_bytes: int
