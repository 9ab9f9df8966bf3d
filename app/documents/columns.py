"""Which white strips are gutters between columns, that are read one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from statistics import mean, median

from app.documents.geometry import Rect
from app.documents.gutters import Strip, find_strips
from app.documents.lines import Line, Piece, is_marker, is_number, split_at_gaps, usual_em
from app.documents.rules import Rules
from app.documents.tick_boxes import TICKED, UNTICKED

TRIED = 16  # strips that are looked at, the tallest first
PROSE = 17  # letters: a line of prose has more, also in a narrow column
WORDS_OF_A_LABEL = 6  # at most, on average
WORDS_OF_A_CELL = 4
MOST_BLOCKS = 3  # addresses side by side; rows of more parts are those of a table
MARKED = (
    0.7  # of the lines left of a strip that are bullets or numbers: it stands behind them, between items and their text
)
MOST_HEADINGS, FEWEST_BELOW = 5, 3  # lines of headings, and rows of the table below them
LONG_LIST, SORTED = 8, 0.75  # lines of a list in alphabetical order, and share of them behind the line above
FEWEST_LABELS, LOOSE_PITCH = 4, 1.4  # labels that each begin with a capital, so many ems or more apart
WIDE_PITCH = 1.9  # ems from one row to the next, from which rows are those of a form and no lines of a paragraph


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands next to a strip in one row."""

    left: Line | None
    right: Line | None


def find_gutter(rows: Sequence[list[Piece]], blocks: Sequence[Rect], rules: Rules) -> Strip | None:
    """The strip along which a region is cut into columns, or None where it is one column, a table or a form."""
    best: Strip | None = None
    tried: list[Strip] = []
    for strip in find_strips(rows, blocks):
        if len(tried) == TRIED or (best is not None and strip.rows <= best.rows):
            break
        if any(_within(strip, other) for other in tried):
            continue
        tried.append(strip)
        trimmed = _trimmed(strip, rows, blocks, rules)
        if trimmed is not None and (best is None or trimmed.rows > best.rows):
            best = trimmed
    return best


def _within(strip: Strip, other: Strip) -> bool:
    """Whether a strip is part of another one that is as tall, or taller."""
    across = strip.left < other.right and other.left < strip.right
    return across and other.top <= strip.top + 1 and strip.bottom <= other.bottom + 1


def _trimmed(strip: Strip, rows: Sequence[list[Piece]], blocks: Sequence[Rect], rules: Rules) -> Strip | None:
    """The longest part of a strip with columns beside it, without the tables and forms above and below them."""
    beside = [row for row in rows if strip.top - 0.1 <= _middle(row) <= strip.bottom + 0.1]
    if not beside:
        return None
    slabs = _slabs(beside, usual_em(beside[0]), strip, rules)
    kinds = _judged([(slab, _are_columns(slab, strip)) for slab in slabs], strip)
    best: list[list[Piece]] = []
    run: list[list[Piece]] = []
    lead: list[list[Piece]] = []  # rows on the right only, right above columns: the right one begins higher
    for slab, columns in [*kinds, ([], False)]:
        if columns or (columns is None and run):
            run = run + lead + slab
            lead = []
            continue
        if not _are_headings(run, slab, strip):
            best = max(best, run, key=len)
        run = []
        lead = lead + slab if columns is None and _is_right_only(slab, strip) else []
    with_blocks = [block for block in blocks if strip.top <= block[1] and block[3] <= strip.bottom]
    if not best and _blocks_beside(with_blocks, strip, beside):
        best = beside
    if not best:
        return None
    top = min(piece.box[1] for row in best for piece in row)
    bottom = max(piece.box[3] for row in best for piece in row)
    for block in with_blocks:
        if block[1] < bottom and block[3] > top:
            top, bottom = min(top, block[1]), max(bottom, block[3])
    return replace(strip, top=top, bottom=bottom, rows=len(best))


def _are_headings(rows: Sequence[list[Piece]], below: Sequence[list[Piece]], strip: Strip) -> bool:
    """Whether a few short lines beside a strip stand over the columns of a table that the strip runs down through."""
    if not 0 < len(rows) <= MOST_HEADINGS or len(below) < FEWEST_BELOW:
        return False
    near = min(piece.box[1] for piece in below[0]) - max(piece.box[3] for piece in rows[-1]) < 3 * usual_em(rows[-1])
    beside = [_beside(row, strip) for row in rows]
    sides = [
        [line for line in side if line is not None] for side in zip(*((b.left, b.right) for b in beside), strict=True)
    ]
    short = any(not _is_prose(side) for side in sides if side)
    pairs = [_beside(row, strip) for row in below]
    values = [pair.right for pair in pairs if pair.left is not None and pair.right is not None]
    return near and short and 2 * len(values) > len(below) and _numbers(values) > 0.5


def _judged(
    kinds: Sequence[tuple[list[list[Piece]], bool | None]], strip: Strip
) -> Iterator[tuple[list[list[Piece]], bool | None]]:
    """Slabs with those that are too small to be told, one below the other, told together."""
    for small, group in groupby(kinds, key=lambda kind: kind[1] is None):
        slabs = list(group)
        if small and len(slabs) > 1:
            together = [row for slab, _ in slabs for row in slab]
            if (columns := _are_columns(together, strip)) is not None:
                yield together, columns
                continue
        yield from slabs


def _is_right_only(rows: Sequence[list[Piece]], strip: Strip) -> bool:
    return all(piece.box[0] >= strip.right - 0.5 for row in rows for piece in row)


def _blocks_beside(blocks: Sequence[Rect], strip: Strip, rows: Sequence[list[Piece]]) -> bool:
    """Whether a table stands on one side of the strip, and on the other side words that are not its own."""
    for block in blocks:
        on_left = block[2] <= strip.middle
        across = [
            row for row in rows
            if block[1] <= _middle(row) <= block[3]
            and any((piece.box[0] >= strip.middle) == on_left for piece in row)
        ]  # fmt: skip
        inner = (block[2], strip.left) if on_left else (strip.right, block[0])
        between = sum(any(inner[0] < _center(piece) < inner[1] for piece in row) for row in across)
        if len(across) >= 2 and between < 2:
            return True
    return False


def _center(piece: Piece) -> float:
    return (piece.box[0] + piece.box[2]) / 2


def _middle(row: Sequence[Piece]) -> float:
    return (min(piece.box[1] for piece in row) + max(piece.box[3] for piece in row)) / 2


def _slabs(rows: Sequence[list[Piece]], em: float, strip: Strip, rules: Rules) -> Iterator[list[list[Piece]]]:
    """Rows between the empty bands, and the rules, that run across the whole strip."""
    crossing = [rule for rule in rules.across if rule[0] < strip.left - 2 * em and rule[2] > strip.right + 2 * em]
    slab: list[list[Piece]] = []
    bottom = 0.0
    for row in rows:
        top = min(piece.box[1] for piece in row)
        ruled = any(bottom - 2 <= rule[1] <= top + 2 for rule in crossing)
        if slab and (top - bottom > 1.0 * em or ruled):
            yield slab
            slab = []
        lowest = max(piece.box[3] for piece in row)
        bottom = max(bottom, lowest) if slab else lowest
        slab.append(row)
    if slab:
        yield slab


def _are_columns(rows: Sequence[list[Piece]], strip: Strip) -> bool | None:
    """Whether the rows beside a strip are read column by column. None: too few to tell."""
    beside = [_beside(row, strip) for row in rows]
    left = [row.left for row in beside if row.left is not None]
    right = [row.right for row in beside if row.right is not None]
    if len(left) < 2 or len(right) < 2:
        return None
    if mean(is_marker(line.text) for line in left) >= MARKED:
        return False
    if all(mean(_is_item(line) for line in side) > 0.3 for side in (left, right)):
        return True
    if _is_alphabetical(left) and _is_alphabetical(right):
        return True
    paired = sum(row.left is not None and row.right is not None for row in beside) / min(len(left), len(right))
    prose = (_is_prose(left), _is_prose(right))
    if all(prose):
        cells = paired > 0.9 and not any(_flows(side) or _words(side) >= WORDS_OF_A_CELL for side in (left, right))
        return not cells and not _is_form(beside, paired)
    if _numbers(left) > 0.4 or _numbers(right) > 0.4:
        return any(prose) and paired < 0.5
    if any(prose):
        return paired < 0.7 and min(len(left), len(right)) >= 3
    if paired < 0.5:
        return min(len(left), len(right)) >= 3
    if median(len(split_at_gaps(row, gap=1.6)) for row in rows) > MOST_BLOCKS:
        return False
    return _are_address_blocks(beside, left, right, strip)


def _beside(row: Sequence[Piece], strip: Strip) -> Beside:
    left = [piece for piece in row if piece.box[2] <= strip.left + 0.5]
    right = [piece for piece in row if piece.box[0] >= strip.right - 0.5]
    return Beside(
        split_at_gaps(left, gap=1.6)[-1] if left else None,
        split_at_gaps(right, gap=1.6)[0] if right else None,
    )


def _letters(line: Line) -> int:
    """The length of a line in Latin letters; a Chinese or Japanese character is worth two."""
    return sum(len(piece.text) + (1 if not piece.joined else 0) + (piece.text[0] >= "\u2e80") for piece in line.pieces)


def _is_prose(lines: Sequence[Line]) -> bool:
    if median(_letters(line) for line in lines) <= PROSE:
        return False
    widths = sorted(line.box[2] - line.box[0] for line in lines)
    return widths[len(widths) // 2] >= 0.5 * widths[4 * len(widths) // 5]


def _is_item(line: Line) -> bool:
    """Whether a line begins with the mark of a list; choices with boxes to tick stand in rows, too."""
    return is_marker(line.pieces[0].text) and line.pieces[0].text not in (TICKED, UNTICKED)


def _is_alphabetical(lines: Sequence[Line]) -> bool:
    """Whether lines of words, one below the other, are a list that is sorted by its letters."""
    names = [line.text.casefold() for line in lines if line.text[:1].isalpha()]
    rising = sum(one < other for one, other in pairwise(names))
    return len(names) >= LONG_LIST and len(names) > 0.8 * len(lines) and rising >= SORTED * (len(names) - 1)


def _numbers(lines: Sequence[Line]) -> float:
    return mean(is_number(line.text) for line in lines)


def _is_form(beside: Sequence[Beside], paired: float) -> bool:
    """Whether long labels stand beside long values: one of each in every row, and the rows apart."""
    left = [row.left for row in beside if row.left is not None and row.right is not None]
    if paired < 0.8 or len(left) < 2:
        return False
    if sum(line.text.endswith(":") for line in left) >= 0.6 * len(left):
        return True
    if _words(left) > WORDS_OF_A_LABEL:  # whole clauses: prose in two columns
        return False
    right = [row.right for row in beside if row.left is not None and row.right is not None]
    one_is_bold = {line.bold for line in left} ^ {line.bold for line in right} == {True, False}
    labels = len(left) >= FEWEST_LABELS and not any(line.text[:1].islower() for line in left)
    measured = left[0].pieces[0].size > 0  # of OCR the size of the type is a guess
    if labels and (one_is_bold or (measured and _pitch(left) > LOOSE_PITCH)):
        return True
    return _pitch(left) > WIDE_PITCH and not _flows(left)


def _words(lines: Sequence[Line]) -> float:
    return mean(len(line.pieces) for line in lines)


def _pitch(lines: Sequence[Line]) -> float:
    """Ems from one line to the next."""
    steps = [below.box[1] - above.box[1] for above, below in pairwise(lines)]
    return median(steps) / median(line.em for line in lines) if steps else 0.0


def _flows(lines: Sequence[Line]) -> bool:
    """Whether lines go on in the next ones: they end far right, and the next begin in small letters."""
    small = sum(line.text[:1].islower() for line in lines[1:])
    return small >= 0.4 * (len(lines) - 1)


def _are_address_blocks(beside: Sequence[Beside], left: Sequence[Line], right: Sequence[Line], strip: Strip) -> bool:
    """Whether short lines make two blocks side by side, each under a heading of its own, and no rows."""
    first = beside[0]
    if first.left is None or first.right is None:
        return False
    others = left[1:]
    headed = _is_head(first.left, others) and _is_head(first.right, right[1:])
    colons = sum(line.text.rstrip().endswith(":") for line in others)
    tight = max(_pitch(left), _pitch(right)) < WIDE_PITCH
    if headed and tight and not colons:
        return True
    if not tight or colons or max(_numbers(left), _numbers(right)) > 0.2:
        return False
    words = min(mean(len(line.pieces) for line in left), mean(len(line.pieces) for line in right))
    alike = 0.5 < mean(map(_letters, left)) / max(mean(map(_letters, right)), 1) < 2
    few = len(beside) <= 8 and strip.width > 4 * first.left.em
    return alike and words >= 1.8 and (few or len(beside) > 8)


def _is_head(line: Line, others: Sequence[Line]) -> bool:
    colon = line.text.rstrip().endswith(":") and not any(other.text.rstrip().endswith(":") for other in others)
    bold = line.bold and not any(other.bold for other in others)
    return colon or bold
