"""Where the tables of a page stand: within grids of rules, between parallel rules, or by alignment alone."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from app.documents.framed_cells import framed_cells
from app.documents.geometry import Rect, contains
from app.documents.grids import grids
from app.documents.headings_above import with_headings_above
from app.documents.lines import Line, Piece, is_right_to_left, rows_of, split_at_gaps
from app.documents.rules import NEAR, Frame, Rules, stacks
from app.documents.table import TableBlock, about
from app.documents.table_cells import (
    GAP,
    RawCell,
    box_of,
    has_inner_columns,
    table_rows,
    with_labels_joined,
)
from app.documents.table_checks import FEWEST_ROWS, LONG_CELL, is_table
from app.documents.table_halves import with_parts_joined
from app.documents.table_headers import header_rows, is_caption
from app.documents.table_rows import aligned_table

WORDS_OF_A_LABEL = 4  # on average
CAPTION = 3  # rows above a table that may name its unit
WITH_GROUPS = 1.35  # labels for each row of figures: some head a group of rows
NEXT, ACROSS = 4.0, 24.0  # ems between a table and its labels: next to it, and across white space


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box of a form, or of a page in panels: what stands in it is read before what stands in the next one."""

    box: Rect
    pieces: tuple[Piece, ...]

    @property
    def words(self) -> tuple[Piece, ...]:
        return self.pieces


def framed_blocks(pieces: Sequence[Piece], rules: Rules) -> list[TableBlock | Box]:
    """The tables and boxes within grids of rules, and the tables between parallel rules."""
    found: list[TableBlock | Box] = []
    taken: list[Rect] = []
    found_grids = sorted(grids(rules, pieces), key=lambda frame: _area(frame.box))
    for frame in found_grids:
        inside = [piece for piece in pieces if contains(frame.box, piece.box) and not _in_any(piece.box, taken)]
        nested = any(contains(other.box, frame.box) for other in found_grids if _area(other.box) > _area(frame.box))
        if len(frame.areas) < 2 or len(frame.xs) < 3 or len(inside) < 2 or (nested and len(rows_of(inside)) < 2):
            continue
        beside = _beside(
            frame.box, pieces, [*taken, *(other.box for other in found_grids if _is_table_beside(other, frame))]
        )
        table = _aligned([*inside, *beside], frame.across, frame.xs) if beside else _framed(frame, inside)
        if table is not None:
            free = [piece for piece in pieces if not _in_any(piece.box, taken)]
            table = with_headings_above(table, free, rules.across)
            found.append(_with_about(table, pieces))
        else:
            found += _boxes(frame, inside)
        taken.append(frame.box)
    for stack in _split_at_prose(stacks(rules), pieces):
        box = (stack[0][0] - 1, stack[0][1], stack[0][2] + 1, stack[-1][3])
        free = [piece for piece in pieces if box[0] <= piece.box[0] <= box[2] and not _in_any(piece.box, taken)]
        box = _extended(box, rows_of(free))
        if _beside(box, pieces, taken, reach=ACROSS):
            continue  # sums below figures: the table's labels stand beside these rules
        table = _stacked(box, [piece for piece in free if contains(box, piece.box)], rules)
        if table is not None:
            table = with_headings_above(table, free, rules.across)
            found.append(_with_about(table, pieces))
            taken.append(table.box)
    return found


def _beside(box: Rect, pieces: Sequence[Piece], taken: Sequence[Rect], *, reach: float = NEXT) -> list[Piece]:
    """Labels left of a table's box, or figures beside it: one for nearly every row of its words."""
    left, top, right, bottom = box
    level = [
        piece for piece in pieces if top < (piece.box[1] + piece.box[3]) / 2 < bottom and not _in_any(piece.box, taken)
    ]
    rows = rows_of(level)
    inside = [row for row in rows if any(left <= piece.box[0] <= right for piece in row)]
    found: list[Piece] = []
    for outer in ([p for p in level if p.box[2] <= left + 2], [p for p in level if p.box[0] >= right - 2]):
        own = rows_of(outer)
        paired = [row for row in inside if any(piece in outer for piece in row)]
        if (
            len(own) >= 3
            and len(paired) >= 0.7 * len(inside)
            and len(own) <= WITH_GROUPS * len(paired)
            and _is_near(own, box, reach)
            and not _is_prose(own)
        ):
            found += outer
    return found


def _is_prose(rows: Sequence[list[Piece]]) -> bool:
    """Whether rows of words are sentences that go on from one to the next, and no labels."""
    small = sum(row[0].text[:1].islower() for row in rows[1:])
    return 2 * small > len(rows) and sum(map(len, rows)) > WORDS_OF_A_LABEL * len(rows)


def _is_table_beside(frame: Frame, other: Frame) -> bool:
    """Whether a grid has columns and rows of its own at the height of another one, and no more rows than that."""
    level = min(frame.box[3], other.box[3]) - max(frame.box[1], other.box[1]) > 0
    return frame is not other and level and len(frame.xs) > 2 and len(frame.ys) > FEWEST_ROWS


def _is_near(rows: Sequence[list[Piece]], box: Rect, reach: float) -> bool:
    """Whether words stand within so many ems of a box, and are no other column of the page: short, the further off."""
    longest = LONG_CELL if reach <= NEXT else LONG_CELL // 2
    lines = [split_at_gaps(row) for row in rows]
    gap = min(max(box[0] - parts[-1].box[2], parts[0].box[0] - box[2]) for parts in lines)
    return gap < reach * rows[0][0].em and sum(len(parts[0].text) <= longest for parts in lines) >= 0.8 * len(lines)


def _extended(box: Rect, rows: Sequence[list[Piece]]) -> Rect:
    """A table's box with the rows of several cells right above and below it: rules or shades often leave out some."""
    left, top, right, bottom = box
    above = [row for row in rows if row[0].box[3] <= top + 2]
    below = [row for row in rows if row[0].box[1] >= bottom - 2]
    for row in reversed(above):
        if top - row[0].box[3] > 1.2 * row[0].em or len(split_at_gaps(row)) < 2:
            break
        top = min(piece.box[1] for piece in row)
    for row in below:
        if row[0].box[1] - bottom > 1.2 * row[0].em or len(split_at_gaps(row)) < 2:
            break
        bottom = max(piece.box[3] for piece in row)
    return left, top, right, bottom


def _boxes(frame: Frame, pieces: Sequence[Piece]) -> list[Box]:
    boxes = [frame.area_box(area) for area in frame.areas]
    found = [(box, tuple(piece for piece in pieces if contains(box, piece.box))) for box in boxes]
    return [Box(box=box, pieces=inside) for box, inside in found if inside]


def _split_at_prose(found: Sequence[list[Rect]], pieces: Sequence[Piece]) -> Iterator[list[Rect]]:
    """Stacks of rules without the stretches that hold prose, or the caption of a table that begins there."""
    by_height = sorted(pieces, key=lambda piece: piece.box[1])
    heights = [piece.box[1] for piece in by_height]
    for stack in found:
        part = stack[:1]
        for above, below in pairwise(stack):
            width = above[2] - above[0]
            between = by_height[bisect(heights, above[1]) : bisect(heights, below[1])]
            rows = rows_of([piece for piece in between if above[0] - NEAR <= piece.box[0] <= above[2]])
            whole = sum(_is_prose_row(row, width) for row in rows)
            captioned = any(is_caption(Line.of(row).text) for row in rows)
            if captioned or whole >= 2 or (len(rows) > 2 and not any(len(split_at_gaps(row)) > 1 for row in rows)):
                yield part
                part = []
            part.append(below)
        yield part


def _is_prose_row(row: Sequence[Piece], width: float) -> bool:
    lines = split_at_gaps(row)
    return len(lines) == 1 and lines[0].box[2] - lines[0].box[0] > 0.6 * width


def _area(box: Rect) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _in_any(box: Rect, boxes: Sequence[Rect]) -> bool:
    return any(contains(other, box) for other in boxes)


def _framed(frame: Frame, pieces: Sequence[Piece]) -> TableBlock | None:
    """The table of a grid of rules; None where its boxes are those of a form."""
    cells = framed_cells(frame, pieces)
    columns = max((cell.across[1] for cell in cells), default=0)
    rows = max((cell.down[1] for cell in cells), default=0)
    if cells and (columns == 1 or has_inner_columns(cells)):
        return _aligned(pieces, frame.across, frame.xs[1:-1])
    if columns < 2 or rows < 2 or not _is_regular(cells, rows, columns) or _holds_pages(cells, rows):
        return None
    if any(_part_ways(frame, column) for column in range(len(frame.xs) - 2)):
        return None
    return TableBlock(cells=tuple(cells), header_rows=header_rows(cells, columns), columns=columns)


def _holds_pages(cells: Sequence[RawCell], rows: int) -> bool:
    """Whether the cells are columns or whole pages of text, side by side in a frame."""
    return rows <= 3 and sum(len(cell.lines) > 12 for cell in cells) >= 2


def _is_regular(cells: Sequence[RawCell], rows: int, columns: int) -> bool:
    """Whether the grid has a cell for most rows and columns. The boxes of a form reach over many lines of others."""
    single = sum(cell.across[1] - cell.across[0] == 1 for cell in cells)
    return 2 * single >= len(cells) and len(cells) >= 0.35 * rows * columns


def _part_ways(frame: Frame, column: int) -> bool:
    """Whether the rules between rows of two columns side by side mostly do not meet: each is a pile of boxes."""
    last = len(frame.ys) - 1
    one, other = (
        {area.rows[1] for area in frame.areas if area.columns[0] <= place < area.columns[1]} - {last}
        for place in (column, column + 1)
    )
    return min(len(one), len(other)) > 1 and 2 * len(one & other) < min(len(one), len(other))


def _stacked(box: Rect, pieces: Sequence[Piece], rules: Rules) -> TableBlock | None:
    """The table between parallel rules, if its words stand below each other."""
    if len(pieces) < 4:
        return None
    return _aligned(pieces, [rule for rule in rules.across if contains(box, rule)])


def _aligned(pieces: Sequence[Piece], rules: Sequence[Rect], edges: Sequence[float] = ()) -> TableBlock | None:
    rows = table_rows(with_labels_joined(rows_of(pieces)), edges)
    if not is_table(rows, rules):
        return None
    table = aligned_table(rows, rules)
    return TableBlock(cells=table.cells, header_rows=table.header_rows, columns=table.columns)


def tables_among(rows: Sequence[list[Piece]], rules: Rules) -> Iterator[TableBlock | list[Piece]]:
    """The rows of a column from top to bottom, with tables in the place of the rows that make them."""
    cells = [split_at_gaps(row, gap=GAP) for row in rows]
    place = 0
    for start, end in _runs(cells):
        refined = table_rows(rows[start:end])
        if not is_table(refined, rules.across) or len(refined) != end - start:
            continue
        box = box_of([line for row in refined for line in row])
        inner = [
            rule
            for rule in rules.across
            if box[0] - 3 <= rule[2] and rule[0] <= box[2] + 3 and box[1] < rule[1] < box[3]
        ]
        table = aligned_table(refined, inner)
        block = TableBlock(cells=table.cells, header_rows=table.header_rows, columns=table.columns)
        block = with_headings_above(block, [piece for row in rows[place:start] for piece in row], rules.across)
        used = {piece.box for piece in block.words}
        above = [row for row in rows[place:start] if not any(piece.box in used for piece in row)]
        yield from above
        yield _with_about(block, [piece for row in above[-CAPTION:] for piece in row])
        place = end
    yield from rows[place:]


def _runs(rows: Sequence[Sequence[Line]]) -> Iterator[tuple[int, int]]:
    """Stretches of rows with several cells, and with the short rows that stand between or right above them."""
    start: int | None = None
    last = 0
    for index, row in enumerate(rows):
        apart = index > 0 and box_of(row)[1] - box_of(rows[index - 1])[3] > 3.2 * row[0].em
        if start is not None and (
            apart or index - last > 3 or (len(row) == 1 and _is_long(row[0], rows[max(start, last - 8) : last + 1]))
        ):
            yield start, last + 1
            start = None
        if len(row) > 1:
            start = index if start is None else start
            last = index
    if start is not None:
        yield start, last + 1


def _is_long(line: Line, rows: Sequence[Sequence[Line]]) -> bool:
    """Whether a line alone reaches over most of the rows above it, as prose does."""
    box = box_of([line for row in rows for line in row])
    return line.box[2] - line.box[0] > 0.75 * (box[2] - box[0])


def _with_about(table: TableBlock, pieces: Sequence[Piece]) -> TableBlock:
    """The table with the unit and the year that the lines above it name."""
    box = table.box
    em = table.cells[0].lines[0].em
    above = [
        piece
        for piece in pieces
        if box[1] - 7 * em < piece.box[3] <= box[1] + 1 and piece.box[0] < box[2] and piece.box[2] > box[0]
    ]
    caption = [Line.of(row).text for row in rows_of(above)]
    return with_parts_joined(_in_reading_direction(replace(table, about=about(caption, table))))


def _in_reading_direction(table: TableBlock) -> TableBlock:
    """The table with its columns counted from the right where its words run to the left."""
    if not is_right_to_left([piece for cell in table.cells for line in cell.lines for piece in line.pieces]):
        return table
    last = table.columns
    return replace(
        table, cells=tuple(replace(cell, across=(last - cell.across[1], last - cell.across[0])) for cell in table.cells)
    )
