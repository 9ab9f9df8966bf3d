"""Reading order: words with places -> blocks of rows and tables, column by column.

A region is cut where a gutter runs down between columns: what stands above it is read first, then the columns, then
what stands below. Cells of a table or of a form stand beside each other too, but they are read row by row.
Text layers and OCR share this code, so it knows boxes and nothing of where they came from.
"""

from collections.abc import Iterator, Sequence

from app.documents.columns import find_gutter
from app.documents.geometry import Rect
from app.documents.lines import Line, Piece, Row, in_reading_direction, is_right_to_left, rows_of, split_at_gaps
from app.documents.margins import footnotes, is_side_bar, with_drop_caps, without_line_numbers
from app.documents.rules import Rules
from app.documents.table import TableBlock
from app.documents.table_cells import with_labels_joined
from app.documents.table_finding import Box as Panel
from app.documents.table_finding import framed_blocks, tables_among

Block = list[Row] | TableBlock

_Part = tuple[list[Piece], list[TableBlock | Panel]]

DEEPEST = 40  # cuts within cuts
SHARED = 0.2  # of a block's side: blocks that share no more stand below or beside each other


def reading_order(lines: Sequence[Line], rules: Rules = Rules()) -> list[Block]:  # noqa: B008 - frozen
    """Blocks of rows, and tables, in the order in which a person reads them."""
    pieces, numbers = without_line_numbers(with_drop_caps([piece for line in lines for piece in line.pieces]))
    framed = framed_blocks(pieces, rules)
    used = {piece.box for block in framed for piece in block.words}
    free = [piece for piece in pieces if piece.box not in used]
    blocks = list(_blocks(free, framed, rules, DEEPEST))
    return [*blocks, [[Line.of(numbers)]]] if numbers else blocks


def _blocks(pieces: list[Piece], tables: list[TableBlock | Panel], rules: Rules, depth: int) -> Iterator[Block]:
    rows = with_labels_joined(rows_of(pieces))
    gutter = find_gutter(rows, [table.box for table in tables], rules) if depth and pieces else None
    if gutter is None:
        yield from _one_column(rows, tables, rules, depth)
        return
    parts: list[_Part] = [([], []) for _ in range(4)]
    for piece in pieces:
        parts[_part(piece.box, gutter.middle, gutter.top, gutter.bottom)][0].append(piece)
    for table in tables:
        parts[_part(table.box, gutter.middle, gutter.top, gutter.bottom)][1].append(table)
    if is_right_to_left(pieces) or is_side_bar(parts[1][0], parts[2][0]):
        parts[1], parts[2] = parts[2], parts[1]
    for words, grids in _with_notes_behind(parts):
        if words or grids:
            yield from _blocks(words, grids, rules, depth - 1)


def _with_notes_behind(parts: list[_Part]) -> list[_Part]:
    """The parts of a region with the footnotes of its first column behind the second one: the text goes on there."""
    above, (first, first_tables), (second, second_tables), below = parts
    notes = footnotes(first) if second else []
    top = min((piece.box[1] for piece in notes), default=0.0)
    if not notes or any(table.box[3] > top - notes[0].em for table in first_tables):
        return parts
    others = [piece for piece in footnotes(second) if piece.box[1] > top - piece.em]
    moved = {id(piece) for piece in notes + others}
    first, second = ([piece for piece in column if id(piece) not in moved] for column in (first, second))
    return [above, (first, first_tables), (second, second_tables), (notes, []), (others, []), below]


def _part(box: Rect, x: float, top: float, bottom: float) -> int:
    """0: above, 1: left, 2: right, 3: below."""
    middle = (box[1] + box[3]) / 2
    if middle < top:
        return 0
    if middle > bottom:
        return 3
    return 1 if (box[0] + box[2]) / 2 < x else 2


def _one_column(rows: list[list[Piece]], framed: list[TableBlock | Panel], rules: Rules, depth: int) -> Iterator[Block]:
    """Rows from top to bottom, with the tables and panels that stand between them."""
    waiting = _in_order(framed)
    text: list[Row] = []
    for part in tables_among(rows, rules):
        top = part.box[1] if isinstance(part, TableBlock) else min(piece.box[1] for piece in part)
        while waiting and waiting[0].box[1] < top:
            yield from _text(text)
            text = []
            yield from _framed(waiting.pop(0), rules, depth)
        if isinstance(part, TableBlock):
            yield from _text(text)
            text = []
            yield part
        else:
            text.append(_row(part))
    yield from _text(text)
    for block in waiting:
        yield from _framed(block, rules, depth)


def _framed(block: TableBlock | Panel, rules: Rules, depth: int) -> Iterator[Block]:
    if isinstance(block, TableBlock):
        yield block
    elif depth:
        yield from _blocks(list(block.pieces), [], rules, depth - 1)


def _in_order(blocks: list[TableBlock | Panel]) -> list[TableBlock | Panel]:
    """Blocks band by band; those of a band that no line crosses from side to side are read column by column."""
    for axis in (1, 0):
        parts = _parted(blocks, axis)
        if len(parts) > 1:
            return [block for part in parts for block in _in_order(part)]
    return sorted(blocks, key=lambda block: (block.box[1], block.box[0]))


def _parted(blocks: list[TableBlock | Panel], axis: int) -> list[list[TableBlock | Panel]]:
    """Blocks in parts that share next to none of their width (axis 0) or height (axis 1)."""
    parts: list[list[TableBlock | Panel]] = []
    end = 0.0
    for block in sorted(blocks, key=lambda block: block.box[axis]):
        start, behind = block.box[axis], block.box[axis + 2]
        if parts and end - start > SHARED * (behind - start):
            parts[-1].append(block)
        else:
            parts.append([block])
        end = max(end, behind)
    return parts


def _text(rows: list[Row]) -> Iterator[list[Row]]:
    if rows:
        yield rows


def _row(pieces: Sequence[Piece]) -> Row:
    """The lines of a row in reading direction; words without a gap between them stand in one."""
    lines = split_at_gaps(pieces)
    return [in_reading_direction(line) for line in (reversed(lines) if is_right_to_left(pieces) else lines)]
