"""What the parent and its worker say to each other; `wire.py` puts it into bytes."""

from dataclasses import dataclass, field

from app.documents.limits import Limits
from model.errors import Message
from model.types import Box, Page, Progress

SheetRows = tuple[tuple[str, ...], ...]  # of cells, all as long as the longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first message to a worker: its bounds, where documents lie that are handed over, and who started it."""

    limits: Limits
    documents: str
    parent: int  # process id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadJob:
    """Read the pages of a file, from the first that comes after page number `after`.

    `document` names the file for as long as it is there. `path` is None where the open file itself goes along.
    """

    document: str
    name: str
    path: str | None = None
    password: str | None = field(default=None, repr=False)
    pages: str | None = None
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawJob:
    """Draw one page of a file, `width` pixels wide: as a JPEG, or as raw pixels."""

    document: str
    name: str
    number: int
    width: int
    path: str | None = None
    raw: bool = False
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsJob:
    """Read the cells of an Excel workbook's first sheet."""

    document: str
    name: str
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Some words of a page and the note about them; boxes as in `Word`."""

    page: int
    boxes: tuple[Box, ...]
    note: str
    is_found: bool  # whether the answer stands there word for word


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkJob:
    """Make a copy of a PDF with these marks as highlights."""

    document: str
    name: str
    marks: tuple[Mark, ...]
    path: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """What bounds a worker on this machine, and what this machine does not offer; for people to read."""

    holds: tuple[str, ...]
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The worker is confined and takes jobs; from here on its time counts."""

    confinement: Confinement


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The file could be opened; these of its pages will follow, in this order."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A page as a JPEG, or as rows of red, green and blue."""

    image: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """The cells of a sheet from its first row on, as they are shown, those without text included."""

    rows: SheetRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A PDF with marks."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The job ended with an error that the person can do something about."""

    message: Message
    needs_password: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The job is done; nothing more will be said about it."""


Job = ReadJob | DrawJob | CellsJob | MarkJob
Reply = Started | Opened | Progress | Page | Drawn | Cells | Marked | Failed | Finished
