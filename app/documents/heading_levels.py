"""Rows of headings over the columns of a table without rules around its cells: each over all that it names."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from app.documents.geometry import Rect
from app.documents.lines import Line
from app.documents.table_cells import Column, box_of, centre, covered_columns
from app.documents.table_headers import is_column_numbers
from app.documents.wrapped_rows import TableRow

A_SPACE = 0.6  # ems between two words of one heading


def heading_levels(rows: Sequence[list[Line]], columns: Sequence[Column], rules: Sequence[Rect]) -> list[TableRow]:
    """The cells of rows of headings over these columns; the last row is the first below the headings."""
    return levels_of([placed_cells(row, columns) for row in rows], rows, len(rows) - 1, columns, rules)


def placed_cells(row: Sequence[Line], columns: Sequence[Column]) -> TableRow:
    """The cells of a row by the columns that they cover."""
    placed: TableRow = {}
    for cell in row:
        across = covered_columns(cell, columns)
        placed[across] = (*placed.get(across, ()), cell)
    return placed


def by_column(row: TableRow) -> list[tuple[int, str]]:
    """The first column and the text of each cell of a row."""
    return [(across[0], " ".join(line.text for line in lines)) for across, lines in sorted(row.items())]


def is_label(row: TableRow) -> bool:
    """Whether a row holds only one cell, in the column of labels."""
    return len(row) == 1 and next(iter(row))[0] == 0


def levels_of(
    placed: Sequence[TableRow],
    rows: Sequence[list[Line]],
    header: int,
    columns: Sequence[Column],
    rules: Sequence[Rect],
) -> list[TableRow]:
    """Rows of headings with those that stand over several columns spread over them, and wrapped ones joined."""
    spread: list[TableRow] = []
    for index in range(min(header, len(placed) - 1)):
        spanners = _spanners(box_of(rows[index]), rules)
        ruled = _over_rules(placed[index], placed[index + 1 : header], columns, spanners)
        spread.append(_spread(ruled, _below(placed, index), columns, spanners))
    if spread:
        spread[-1] = _split_over(spread[-1], columns)
    levels: list[TableRow] = []
    for row in spread:
        counts = is_column_numbers([text for _, text in by_column(row)])
        if levels and not counts and _continues(levels[-1], row):
            for across, lines in row.items():
                levels[-1][across] = (*levels[-1].get(across, ()), *lines)
        else:
            levels.append(dict(row))
    return levels


def _below(placed: Sequence[TableRow], index: int) -> TableRow:
    """The row below one, past rows that only head the labels."""
    others = (row for row in placed[index + 1 :] if not is_label(row))
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


def _over_rules(row: TableRow, below: Sequence[TableRow], columns: Sequence[Column], rules: Sequence[Rect]) -> TableRow:
    """The headings of a row with those above one rule as one over all its columns, if rows below it name these."""
    named = {column for heads in below for across in heads for column in range(*across)}
    spread: TableRow = {}
    for across, lines in sorted(row.items()):
        rule = next((rule for rule in rules if rule[0] <= centre(lines[0]) <= rule[2]), None)
        under = _columns_over(rule, columns) if rule is not None and across[0] > 0 else (0, 0)
        sharing = [other for other in sorted(row) if under[0] <= other[0] < under[1]]
        near = all(row[b][0].box[0] - row[a][-1].box[2] < A_SPACE * row[b][0].em for a, b in pairwise(sharing))
        several = len(named & set(range(*under))) > len(sharing)
        wide = under if near and several else across
        spread[wide] = (*spread.get(wide, ()), *lines)
    return spread


def _columns_over(rule: Rect, columns: Sequence[Column]) -> tuple[int, int]:
    """The columns whose middle stands over a rule: the first, and the one behind the last."""
    under = [index for index, column in enumerate(columns) if rule[0] - 3 <= sum(column) / 2 <= rule[2] + 3]
    return (min(under), max(under) + 1) if under else (0, 0)


def _spread(row: TableRow, below: TableRow, columns: Sequence[Column], rules: Sequence[Rect]) -> TableRow:
    """The headings of a row over all the columns that they belong to."""
    filled = sorted({across[0] for across in below if across[0] > 0})
    heads = [across for across in row if across[0] > 0]
    if not 0 < len(heads) < len(filled):
        return row
    shares = _shares(row, heads, columns)
    spread: TableRow = {}
    for across, lines in row.items():
        middle = centre(lines[0])
        rule = next((rule for rule in rules if rule[0] <= middle <= rule[2] and len(rules) > 1), None)
        wide = across
        if rule is not None and across in heads:
            under = _columns_over(rule, columns)
            wide = under if under[1] else across
        elif across in heads:
            others = [other for other in row if other != across]
            size = max if len(heads) == 1 and filled == list(range(1, len(columns))) else min
            places = _under(below, columns) if size is max else columns
            wide = shares.get(across) or _centred(across, lines[0], places, others, size)
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
    middles = {across: centre(row[across][0]) for across in heads}
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
    ranges = [(s, e) for s in range(max(first, 1), across[0] + 1) for e in range(across[1], last + 1)]
    fitting = [place for place in ranges if _off(place, centre(cell), columns) < 1.2 * cell.em]
    return size(fitting, key=lambda place: place[1] - place[0], default=across)


def _off(across: tuple[int, int], middle: float, columns: Sequence[Column]) -> float:
    return abs((columns[across[0]][0] + columns[across[1] - 1][1]) / 2 - middle)
