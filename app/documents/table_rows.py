"""Tables without rules around their cells: rows of words -> cells. Wrapped cells are joined, wide headings spread."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from app.documents.geometry import Rect
from app.documents.lines import Line, in_reading_direction, is_number
from app.documents.table_cells import Column, RawCell, box_of, covered_columns, find_columns, is_rule_between
from app.documents.table_headers import CAPTION, first_data_row, is_column_numbers
from app.documents.wrapped_rows import LABEL, TableRow, unwrapped

MOST_HEADER_ROWS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedTable:
    """Cells by their alignment. The first `header_rows` rows hold headings."""

    cells: tuple[RawCell, ...] = field(repr=False)
    header_rows: int
    columns: int


def aligned_table(all_rows: Sequence[list[Line]], rules: Sequence[Rect] = ()) -> AlignedTable:
    """The cells of rows of words; `rules` are the horizontal rules among them."""
    columns = find_columns(all_rows)
    titles = max(_titles(all_rows, columns), _above_header(all_rows, columns, rules), _above_title(all_rows, columns))
    rows = all_rows[titles:]
    placed = _with_groups([_placed(row, columns) for row in rows], columns)
    first = first_data_row([_by_column(row) for row in placed])
    header = _header_end(placed, rows, first, rules)
    levels = _levels(placed, rows, header, columns, rules)
    body = unwrapped(placed[header:], rows[header:], columns, rules)
    above: list[TableRow] = [{(0, len(columns)): tuple(row)} for row in all_rows[:titles]]
    levels = above + levels
    heights = _label_heights(body, columns, rules)
    cells = [
        RawCell(
            across=across,
            down=(index, index + heights.get(index - len(levels), 1) if across == LABEL else index + 1),
            lines=tuple(map(in_reading_direction, lines)),
        )
        for index, row in enumerate([*levels, *body])
        for across, lines in sorted(row.items())
    ]
    return AlignedTable(cells=tuple(cells), header_rows=len(levels), columns=len(columns))


def heading_levels(rows: Sequence[list[Line]], columns: Sequence[Column], rules: Sequence[Rect]) -> list[TableRow]:
    """The cells of rows of headings over these columns; the last row is the first below the headings."""
    return _levels([_placed(row, columns) for row in rows], rows, len(rows) - 1, columns, rules)


def _titles(rows: Sequence[list[Line]], columns: Sequence[Column]) -> int:
    """How many rows at the top are a title: captions, and single lines at the left edge or as wide as the table."""
    count = 0
    for row in rows[:-1]:
        width = columns[-1][1] - columns[0][0]
        wide = row[0].box[2] - row[0].box[0] > 0.5 * width
        caption = CAPTION.match(row[0].text) is not None and len(row) < len(columns)
        if not caption and (len(row) > 1 or not (wide or row[0].box[0] < columns[0][1])):
            break
        count += 1
    return count


def _above_header(rows: Sequence[list[Line]], columns: Sequence[Column], rules: Sequence[Rect]) -> int:
    """How many rows stand above the first of two rules that are as wide as the table: the headings are between them."""
    first = first_data_row([_by_column(_placed(row, columns)) for row in rows])
    end = _above_wide_rule(rows, rules, first) if first else None
    start = next((index for index in range(1, end or 0) if _above_wide_rule(rows, rules, index) == index), 0)
    headed = any(len(row) > max(2, 0.6 * len(columns)) for row in rows[:start])
    return start if end and start < end and not headed else 0


def _above_title(rows: Sequence[list[Line]], columns: Sequence[Column]) -> int:
    """How many rows end with a line across the middle of the table, above its headings: other lines of the page."""
    placed = [_placed(row, columns) for row in rows]
    first = first_data_row([_by_column(row) for row in placed]) or 0
    for index in range(first - 1, 0, -1):
        whole = len(rows[index]) == 1 and next(iter(placed[index])) == (0, len(columns))
        across = len(rows[index]) == 1 and _is_in_the_middle(rows[index][0], columns)
        if (whole or across) and any(len(row) > 2 for row in rows[index + 1 : first]):
            return index + 1
    return 0


def _is_in_the_middle(line: Line, columns: Sequence[Column]) -> bool:
    """Whether a line of words stands centred above all columns, with room on both sides."""
    left, right = columns[0][0], columns[-1][1]
    apart = line.box[0] > left + line.em and line.box[2] < right - line.em
    return apart and abs(line.box[0] + line.box[2] - left - right) < 2 * line.em


def _placed(row: Sequence[Line], columns: Sequence[Column]) -> TableRow:
    placed: TableRow = {}
    for cell in row:
        across = covered_columns(cell, columns)
        placed[across] = (*placed.get(across, ()), cell)
    return placed


def _with_groups(rows: list[TableRow], columns: Sequence[Column]) -> list[TableRow]:
    """The rows, those that hold only a line in the middle of the table as cells over all columns: they head groups."""
    alone = [next(iter(row.values()))[0] if len(row) == 1 else None for row in rows]
    central = [line for line in alone if line is not None and _is_central(line, columns)]
    whole = (0, len(columns))
    return [
        {whole: (line,)} if line is not None and sum(_share_centre(line, other) for other in central) > 1 else row
        for line, row in zip(alone, rows, strict=True)
    ]


def _is_central(line: Line, columns: Sequence[Column]) -> bool:
    """Whether a line of words stands in the middle of all columns, or of those with values."""
    centre = (line.box[0] + line.box[2]) / 2
    middles = [(first + columns[-1][1]) / 2 for first in (columns[0][0], columns[min(1, len(columns) - 1)][0])]
    near = any(abs(centre - place) < 2 * line.em for place in middles)
    return near and line.box[0] > columns[0][1] and not is_number(line.text)


def _share_centre(one: Line, other: Line) -> bool:
    return abs(one.box[0] + one.box[2] - other.box[0] - other.box[2]) < one.em


def _label_heights(rows: Sequence[TableRow], columns: Sequence[Column], rules: Sequence[Rect]) -> dict[int, int]:
    """How many rows a label stands for: those below it have none, and the rules between them leave its column out."""
    start, end = columns[0]
    long = [rule for rule in rules if rule[2] > columns[-1][0]]
    short = [rule[1] for rule in long if (start + end) / 2 < rule[0] < sum(columns[1]) / 2] if len(columns) > 2 else []
    whole = [rule[1] for rule in long if rule[0] <= (start + end) / 2]
    if sum(_is_between(above, below, whole) for above, below in pairwise(rows)) < 2:
        return {}  # rules above sums
    heights: dict[int, int] = {}
    label: int | None = None
    for index, row in enumerate(rows):
        if LABEL in row:
            label = index
        elif label is not None and _is_between(rows[index - 1], row, short):
            heights[label] = index - label + 1
        else:
            label = None
    return heights


def _is_between(above: TableRow, below: TableRow, heights: Sequence[float]) -> bool:
    """Whether a rule at one of these heights runs between two rows."""
    one, other = ([line for lines in row.values() for line in lines] for row in (above, below))
    return is_rule_between(one, other, heights)


def _by_column(row: TableRow) -> list[tuple[int, str]]:
    return [(across[0], " ".join(line.text for line in lines)) for across, lines in sorted(row.items())]


def _header_end(
    placed: Sequence[TableRow], rows: Sequence[list[Line]], first: int | None, rules: Sequence[Rect]
) -> int:
    """How many rows stand above the first row of data, group headings not counted."""
    if first is None:
        return _header_above_rule(rows, rules)
    if (ruled := _above_wide_rule(rows, rules, first)) is not None:
        return ruled
    end = first
    while end and _is_label(placed[end - 1]) and any(len(row) > 1 for row in placed[: end - 1]):
        end -= 1  # a group heading above the first row
    return end


def _above_wide_rule(rows: Sequence[list[Line]], rules: Sequence[Rect], first: int) -> int | None:
    """How many rows stand above the last rule, as wide as the table, that comes before the first row of figures."""
    left, right = min(row[0].box[0] for row in rows), max(row[-1].box[2] for row in rows)
    wide = [rule[1] for rule in rules if rule[2] - rule[0] > 0.8 * (right - left)]
    ruled = [
        index
        for index in range(min(first, len(rows) - 1, MOST_HEADER_ROWS), 0, -1)
        if is_rule_between(rows[index - 1], rows[index], wide)
    ]
    heads_a_group = len(ruled) > 1 and ruled[1] == ruled[0] - 1 and len(rows[ruled[1]]) == 1
    return ruled[1] if heads_a_group and len(rows[ruled[1] - 1]) > 1 else next(iter(ruled), None)


def _header_above_rule(rows: Sequence[list[Line]], rules: Sequence[Rect]) -> int:
    """Of a table of words, the rows above the first rule between them, or a first row set bold."""
    width = max(row[-1].box[2] for row in rows) - min(row[0].box[0] for row in rows)
    rules = [rule for rule in rules if rule[2] - rule[0] > 0.4 * width]  # what is shorter is a box or a sum
    for index in range(1, min(4, len(rows))):
        above, below = box_of(rows[index - 1])[3], box_of(rows[index])[1]
        if any(above - 3 <= rule[1] <= below + 3 for rule in rules):
            return index
    bold = [all(cell.bold for cell in row) for row in rows]
    return 1 if bold and bold[0] and not any(bold[1:]) else 0


def _is_label(row: TableRow) -> bool:
    return len(row) == 1 and next(iter(row))[0] == 0


def _levels(
    placed: Sequence[TableRow],
    rows: Sequence[list[Line]],
    header: int,
    columns: Sequence[Column],
    rules: Sequence[Rect],
) -> list[TableRow]:
    """Rows of headings with those that stand over several columns spread over them, and wrapped ones joined."""
    spread = [
        _spread(placed[index], _below(placed, index), columns, _spanners(box_of(rows[index]), rules))
        for index in range(min(header, len(placed) - 1))
    ]
    if spread:
        spread[-1] = _split_over(spread[-1], columns)
    levels: list[TableRow] = []
    for row in spread:
        counts = is_column_numbers([text for _, text in _by_column(row)])
        if levels and not counts and _continues(levels[-1], row):
            for across, lines in row.items():
                levels[-1][across] = (*levels[-1].get(across, ()), *lines)
        else:
            levels.append(dict(row))
    return levels


def _below(placed: Sequence[TableRow], index: int) -> TableRow:
    """The row below one, past rows that only head the labels."""
    others = (row for row in placed[index + 1 :] if not _is_label(row))
    return next(others, placed[index + 1])


def _split_over(row: TableRow, columns: Sequence[Column]) -> TableRow:
    """The lowest headings, those apart that stand too close together to be told from one over several columns."""
    split: TableRow = {}
    for across, lines in row.items():
        pieces = [piece for line in lines for piece in line.pieces]
        under = [(covered_columns(Line.of([piece]), columns)[0], piece) for piece in pieces]
        if len({column for column, _ in under}) < across[1] - across[0] or across[1] - across[0] < 2:
            split[across] = (*split.get(across, ()), *lines)
            continue
        for column in sorted({column for column, _ in under}):
            line = Line.of([piece for place, piece in under if place == column])
            split[column, column + 1] = (*split.get((column, column + 1), ()), line)
    return split


def _continues(above: TableRow, row: TableRow) -> bool:
    """Whether a row of headings goes on with those above it: no heading stands over several of this row's."""
    return not any(
        first <= across[0] and across[1] <= behind and (first, behind) != across
        for first, behind in above
        for across in row
    )


def _spanners(row: Rect, rules: Sequence[Rect]) -> list[Rect]:
    """Rules right below a row that tell how far its headings reach."""
    return [rule for rule in rules if -2 <= rule[1] - row[3] + 2 <= 0.8 * (row[3] - row[1])]


def _spread(row: TableRow, below: TableRow, columns: Sequence[Column], rules: Sequence[Rect]) -> TableRow:
    """The headings of a row over all the columns that they belong to."""
    filled = sorted({across[0] for across in below if across[0] > 0})
    heads = [across for across in row if across[0] > 0]
    if not 0 < len(heads) < len(filled):
        return row
    shares = _shares(row, heads, columns)
    spread: TableRow = {}
    for across, lines in row.items():
        middle = (lines[0].box[0] + lines[0].box[2]) / 2
        rule = next((rule for rule in rules if rule[0] <= middle <= rule[2] and len(rules) > 1), None)
        wide = across
        if rule is not None and across in heads:
            under = [i for i, column in enumerate(columns) if rule[0] - 3 <= sum(column) / 2 <= rule[2] + 3]
            wide = (min(under), max(under) + 1) if under else across
        elif across in heads:
            others = [other for other in row if other != across]
            size = max if len(heads) == 1 and filled == list(range(1, len(columns))) else min
            under = _under(below, columns) if size is max else columns
            wide = shares.get(across) or _centred(across, lines[0], under, others, size)
        spread[wide] = (*spread.get(wide, ()), *lines)
    return spread


def _under(below: TableRow, columns: Sequence[Column]) -> list[Column]:
    """The columns, each as wide as the heading that stands in it alone in the row below."""
    widths = {across[0]: box_of(lines) for across, lines in below.items() if across[1] - across[0] == 1}
    return [(widths[i][0], widths[i][2]) if i in widths else column for i, column in enumerate(columns)]


def _shares(
    row: TableRow, heads: Sequence[tuple[int, int]], columns: Sequence[Column]
) -> dict[tuple[int, int], tuple[int, int]]:
    """All columns dealt out to the nearest heading, if each heading then stands in the middle of its columns."""
    middles = {across: (row[across][0].box[0] + row[across][0].box[2]) / 2 for across in heads}
    nearest = [min(heads, key=lambda across: abs(middles[across] - sum(column) / 2)) for column in columns[1:]]
    shares = {
        across: (nearest.index(across) + 1, len(nearest) - nearest[::-1].index(across) + 1)
        for across in heads if across in nearest
    }  # fmt: skip
    off = {across: _off(share, middles[across], columns) / row[across][0].em for across, share in shares.items()}
    own = [_off(across, middles[across], columns) / row[across][0].em for across in heads]
    if max(own) < 0.4 and max(off.values(), default=0) > 1:
        return {}  # each heads the one column above whose middle it stands
    centred = all(ems < 2 for ems in off.values())
    return shares if centred and len(shares) == len(heads) else {}


def _centred(
    across: tuple[int, int],
    cell: Line,
    columns: Sequence[Column],
    others: Sequence[tuple[int, int]],
    size: Callable[..., tuple[int, int]],
) -> tuple[int, int]:
    """The fewest (min) or the most (max) columns in whose middle a heading stands, between its neighbours."""
    first = max((other[1] for other in others if other[1] <= across[0]), default=1)
    last = min((other[0] for other in others if other[0] >= across[1]), default=len(columns))
    middle = (cell.box[0] + cell.box[2]) / 2
    ranges = [(s, e) for s in range(max(first, 1), across[0] + 1) for e in range(across[1], last + 1)]
    fitting = [place for place in ranges if _off(place, middle, columns) < 1.2 * cell.em]
    return size(fitting, key=lambda place: place[1] - place[0], default=across)


def _off(across: tuple[int, int], middle: float, columns: Sequence[Column]) -> float:
    return abs((columns[across[0]][0] + columns[across[1] - 1][1]) / 2 - middle)
