"""Reading order: lines with places -> blocks of rows, column by column.

A page is cut at a gutter only where prose stands on both sides of it. Short cells side by side are a table or a form,
and are read row by row. Text layers and OCR share this code, so it knows boxes and nothing of where they came from.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.documents.geometry import Rect, union

Row = list["Line"]  # lines that share a baseline, left to right

PROSE_CHARACTERS = 18  # a line of a narrow newspaper column has more, a cell of a table mostly fewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A word on a page. `joined` tells that no space stands before it."""

    text: str
    box: Rect
    joined: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Words that stand close together on one baseline."""

    pieces: tuple[Piece, ...]
    box: Rect

    @classmethod
    def of(cls, pieces: Iterable[Piece]) -> "Line":
        pieces = tuple(pieces)
        return cls(pieces, union(piece.box for piece in pieces))

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]

    @property
    def is_prose(self) -> bool:
        characters = sum(len(piece.text) + 1 for piece in self.pieces)
        return characters > PROSE_CHARACTERS


def reading_order(lines: Sequence[Line]) -> list[list[Row]]:
    """Blocks of rows in the order in which a person reads them."""
    return list(_blocks(_close_gaps(lines))) if lines else []


def _close_gaps(lines: Sequence[Line]) -> list[Line]:
    """Split lines at gaps as wide as a gutter, and join neighbours that are closer than that."""
    joined: list[Line] = []
    for row in _rows(lines):
        run: list[Piece] = []
        for piece in (piece for line in row for piece in line.pieces):
            if run and _gap(run[-1].box, piece.box) > piece.box[3] - piece.box[1]:
                joined.append(Line.of(run))
                run = []
            run.append(piece)
        joined.append(Line.of(run))
    return joined


def _gap(one: Rect, other: Rect) -> float:
    """The empty width between two boxes, whichever is on the left (scripts run both ways)."""
    return max(other[0] - one[2], one[0] - other[2])


def _rows(lines: Iterable[Line]) -> list[Row]:
    """Lines grouped by baseline, top to bottom, each row from left to right (or right to left)."""
    rows: list[Row] = []
    for line in sorted(lines, key=lambda line: (line.box[1] + line.box[3], line.box[0])):
        row = next((row for row in reversed(rows[-3:]) if _same_row(row[0].box, line.box)), None)
        if row is None:
            rows.append([line])
        else:
            row.append(line)
    for row in rows:
        row.sort(key=lambda line: line.box[0], reverse=_is_right_to_left(row))
    return rows


def _same_row(one: Rect, other: Rect) -> bool:
    shared = min(one[3], other[3]) - max(one[1], other[1])
    return shared > 0.5 * max(one[3] - one[1], other[3] - other[1])


def _is_right_to_left(row: Row) -> bool:
    letters = [char for line in row for piece in line.pieces for char in piece.text if char.isalpha()]
    return 2 * sum("\u0590" <= char <= "\u08ff" or "\ufb1d" <= char <= "\ufefc" for char in letters) > len(letters)


def _blocks(lines: list[Line]) -> Iterator[list[Row]]:
    gutter = _find_gutter(lines)
    if gutter is None:
        yield _rows(lines)
        return
    for band in _bands(lines, gutter):
        left = [line for line in band if line.box[2] <= gutter]
        right = [line for line in band if line.box[0] >= gutter]
        if len(left) + len(right) < len(band) or not left or not right or _is_table(band):
            yield _rows(band)
        else:
            yield from _blocks(left)
            yield from _blocks(right)


def _find_gutter(lines: list[Line]) -> float | None:
    """The x of an empty strip between two columns of prose, or None. A few lines (a title) may cross it."""
    narrowest = 0.6 * sorted(line.height for line in lines)[len(lines) // 2]
    edges = sorted([(line.box[0], 1) for line in lines] + [(line.box[2], -1) for line in lines])
    for crossing in (0, 1, 2, len(lines) // 10, len(lines) // 4):
        for width, x in sorted(_strips(edges, crossing), reverse=True)[:4]:
            if width < narrowest:
                break
            if all(_is_prose(side) for side in _sides(lines, x)):
                return x
    return None


def _strips(edges: list[tuple[float, int]], crossing: int) -> Iterator[tuple[float, float]]:
    """Width and middle of each strip that at most `crossing` lines cross, between the first line and the last."""
    depth, start = 0, edges[0][0]
    for x, step in edges:
        if depth <= crossing < depth + step:
            yield x - start, (x + start) / 2
        if depth > crossing >= depth + step:
            start = x
        depth += step


def _sides(lines: list[Line], x: float) -> tuple[list[Line], list[Line]]:
    return [line for line in lines if line.box[2] <= x], [line for line in lines if line.box[0] >= x]


def _is_prose(lines: list[Line]) -> bool:
    return len(lines) >= 3 and 3 * sum(line.is_prose for line in lines) >= len(lines)


def _is_table(band: list[Line]) -> bool:
    return 3 * sum(line.is_prose for line in band) < len(band)


def _bands(lines: list[Line], gutter: float) -> Iterator[list[Line]]:
    """Cut a region from top to bottom: what crosses the gutter stands alone, and so do tables and running heads."""
    slabs = list(_slabs(lines, gutter))
    columns: list[Line] = []
    for index, slab in enumerate(slabs):
        parallel_map = len(slab) > 3 and _is_table(slab) and all(_sides(slab, gutter))
        if parallel_map or _crosses(slab[0], gutter) or _is_running_head(slabs, index):
            if columns:
                yield columns
            yield slab
            columns = []
        else:
            columns = columns + slab
    if columns:
        yield columns


def _is_running_head(slabs: list[list[Line]], index: int) -> bool:
    """Whether this is a single row, set apart, at the top or the bottom of the region."""
    if index not in (0, len(slabs) - 1) or len(slabs) == 1 or len(_rows(slabs[index])) > 1:
        return False
    head, neighbour = _around(slabs[index]), _around(slabs[1 if index == 0 else index - 1])
    return max(neighbour[1] - head[3], head[1] - neighbour[3]) > head[3] - head[1]


def _slabs(lines: list[Line], gutter: float) -> Iterator[list[Line]]:
    """Lines between the empty strips that run across the whole region; those across the gutter come by themselves."""
    slab: list[Line] = []
    bottom = 0.0
    for line in sorted(lines, key=lambda line: line.box[1]):
        apart = line.box[1] - bottom > 0.5 * line.height
        if slab and (apart or _crosses(line, gutter) != _crosses(slab[-1], gutter)):
            yield slab
            slab = []
        bottom = max(bottom, line.box[3]) if slab else line.box[3]
        slab.append(line)
    if slab:
        yield slab


def _around(lines: list[Line]) -> Rect:
    return union(line.box for line in lines)


def _crosses(line: Line, x: float) -> bool:
    return line.box[0] < x < line.box[2]
