"""The ruled lines of a page, and the grids that they make."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.documents.geometry import Rect, contains, union

NEAR = 3.0  # points: rules this near to each other meet
FEWEST_CELLS = 4  # of a grid whose rules tell more than the shades in it
FEW_LINES = 3.2  # of a cell: some of them have a shade of their own
SHORTEST = 6.0  # points of a rule; what is shorter is a tick of a chart or a piece of a dashed line


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Thin boxes: horizontal and vertical rules."""

    across: tuple[Rect, ...] = ()
    down: tuple[Rect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A cell of a grid: it covers the lines `rows[0]` to `rows[1]` of `ys` and likewise of `xs`."""

    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Rules that meet: the places of their lines, and the cells between them. xs and ys rise."""

    box: Rect
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    across: tuple[Rect, ...] = field(repr=False)
    areas: tuple[Area, ...]

    def area_box(self, area: Area) -> Rect:
        """The box of a cell."""
        return self.xs[area.columns[0]], self.ys[area.rows[0]], self.xs[area.columns[1]], self.ys[area.rows[1]]


def ruled_lines(drawn: Sequence[Rect], shaded: Sequence[Rect]) -> Rules:
    """The rules of a page from its thin boxes, and from the edges of what is shaded outside of grids of these.

    Within a grid, what is shaded is often the text of a cell, and its edges are no rules. Between parallel rules, as
    above and below a table, small shades only mark figures.
    """
    rules = merged_rules(drawn)
    if not shaded:
        return rules
    grids = [frame for frame in frames(rules) if len(frame.areas) >= FEWEST_CELLS]
    between = [] if grids else [table for stack in stacks(rules) if (table := _between(stack)) is not None]
    cells = [
        box for box in shaded
        if not any(_is_within_a_cell(box, grid) or _is_behind_a_line(box, grid) for grid in grids)
        and not any(_is_mark(box, table) for table in between)
    ]  # fmt: skip
    return merged_rules([*drawn, *(edge for box in cells for edge in edges_of(box))]) if cells else rules


def _is_within_a_cell(box: Rect, grid: Frame) -> bool:
    """Whether a box in a grid begins or ends between its columns."""
    return contains(grid.box, box) and not all(any(abs(edge - x) <= NEAR for x in grid.xs) for edge in (box[0], box[2]))


def _is_behind_a_line(box: Rect, grid: Frame) -> bool:
    """Whether a box is as wide as a cell over several rows of a grid, and the shade of one of its few lines."""
    height = box[3] - box[1]
    for cell in (grid.area_box(area) for area in grid.areas if area.rows[1] - area.rows[0] > 1):
        if contains(cell, box):
            level = abs(cell[0] - box[0]) <= NEAR and abs(cell[2] - box[2]) <= NEAR
            return level and height + NEAR < cell[3] - cell[1] < FEW_LINES * height
    return False


def _between(stack: Sequence[Rect]) -> Rect | None:
    """What lies between parallel rules, if these are those of a table, and not of a whole page."""
    left, top, right, _ = stack[0]
    bottom = stack[-1][3]
    return (left, top, right, bottom) if len(stack) > 2 or bottom - top < 0.5 * (right - left) else None


def _is_mark(box: Rect, table: Rect) -> bool:
    return contains(table, box) and box[2] - box[0] < 0.2 * (table[2] - table[0])


def shaded_areas(boxes: Iterable[Rect]) -> list[Rect]:
    """Boxes of one colour, those joined that lie below each other: cells are often shaded line by line."""
    areas: list[Rect] = []
    for box in sorted(boxes, key=lambda box: (round(box[0]), round(box[2]), box[1])):
        last = areas[-1] if areas else box
        level = abs(last[0] - box[0]) < 1 and abs(last[2] - box[2]) < 1
        if areas and level and last[1] <= box[1] < last[3] + 1:
            areas[-1] = union((last, box))
        else:
            areas.append(box)
    return areas


def edges_of(box: Rect) -> tuple[Rect, Rect, Rect, Rect]:
    """The four edges of a box, as thin boxes."""
    x0, y0, x1, y1 = box
    return (x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)


def merged_rules(boxes: Iterable[Rect]) -> Rules:
    """Rules from thin boxes: pieces of one line joined, dots and ticks left out."""
    across: list[Rect] = []
    down: list[Rect] = []
    for box in boxes:
        (across if box[2] - box[0] >= box[3] - box[1] else down).append(box)
    turned = [(y0, x0, y1, x1) for x0, y0, x1, y1 in down]
    return Rules(
        across=tuple(_chained(across)),
        down=tuple((x0, y0, x1, y1) for y0, x0, y1, x1 in _chained(turned)),
    )


def frames(rules: Rules) -> list[Frame]:
    """Grids of rules that meet, each with its cells. Rules that only lie parallel make no grid."""
    return [frame for group in _groups(rules) if (frame := _frame(*group)) is not None]


def joined_frames(left: Frame, right: Frame) -> Frame:
    """One grid of two with the same rows; what lies between them is a column of its own."""
    first = len(left.xs)
    between = [Area(rows=(row, row + 1), columns=(first - 1, first)) for row in range(len(left.ys) - 1)]
    moved = [Area(rows=area.rows, columns=(area.columns[0] + first, area.columns[1] + first)) for area in right.areas]
    return Frame(
        box=union((left.box, right.box)), xs=left.xs + right.xs, ys=left.ys, across=left.across + right.across,
        areas=(*left.areas, *between, *moved),
    )  # fmt: skip


def stacks(rules: Rules) -> list[list[Rect]]:
    """Horizontal rules of one width below each other, as above, within and below tables without vertical rules."""
    found: list[list[Rect]] = []
    for rule in sorted(rules.across, key=lambda rule: rule[1]):
        width = rule[2] - rule[0]
        near = 0.04 * width + NEAR
        stack = next((s for s in found if abs(s[-1][0] - rule[0]) < near and abs(s[-1][2] - rule[2]) < near), None)
        if stack is not None:
            stack.append(rule)
        elif width > 60:
            found.append([rule])
    return [stack for stack in found if len(stack) > 1]


def _chained(rules: list[Rect]) -> list[Rect]:
    """Horizontal rules with the pieces of one line joined."""
    levels: list[list[Rect]] = []
    for rule in sorted(rules, key=lambda rule: rule[1] + rule[3]):
        if levels and abs(_level(levels[-1][0]) - _level(rule)) < 1.5:
            levels[-1].append(rule)
        else:
            levels.append([rule])
    joined: list[Rect] = []
    for level in levels:
        chain: list[Rect] = []
        for rule in sorted(level):
            if chain and rule[0] - chain[-1][2] < NEAR:
                chain[-1] = union((chain[-1], rule))
            else:
                chain.append(rule)
        joined += [rule for rule in chain if rule[2] - rule[0] >= SHORTEST]
    return joined


def _level(rule: Rect) -> float:
    return (rule[1] + rule[3]) / 2


def _groups(rules: Rules) -> list[tuple[list[Rect], list[Rect]]]:
    """Rules that touch each other, directly or by others."""
    everything = [*rules.across, *rules.down]
    parent = list(range(len(everything)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for i, across in enumerate(rules.across):
        for j, down in enumerate(rules.down, start=len(rules.across)):
            if _touch(across, down):
                parent[root(j)] = root(i)
    groups: dict[int, tuple[list[Rect], list[Rect]]] = {}
    for index, rule in enumerate(everything):
        groups.setdefault(root(index), ([], []))[int(index >= len(rules.across))].append(rule)
    return [group for group in groups.values() if len(group[0]) > 1 and group[1]]


def _touch(one: Rect, other: Rect) -> bool:
    return (
        one[0] - NEAR <= other[2]
        and other[0] - NEAR <= one[2]
        and one[1] - NEAR <= other[3]
        and other[1] - NEAR <= one[3]
    )


def _frame(across: list[Rect], down: list[Rect]) -> Frame | None:
    box = union([*across, *down])
    ys = _clustered([_level(rule) for rule in across] + [box[1], box[3]])
    xs = _clustered([(rule[0] + rule[2]) / 2 for rule in down] + [box[0], box[2]])
    if len(xs) < 2 or len(ys) < 2 or len(xs) * len(ys) > 20_000:
        return None
    return Frame(box=box, xs=tuple(xs), ys=tuple(ys), across=tuple(across), areas=tuple(_areas(xs, ys, across, down)))


def _clustered(values: Sequence[float]) -> list[float]:
    clusters: list[list[float]] = []
    for value in sorted(values):
        if clusters and value - clusters[-1][-1] < NEAR:
            clusters[-1].append(value)
        else:
            clusters.append([value])
    return [sum(cluster) / len(cluster) for cluster in clusters]


def _areas(xs: list[float], ys: list[float], across: list[Rect], down: list[Rect]) -> list[Area]:
    """The cells: squares of the grid joined where no rule stands between them, if they make a rectangle."""
    columns, rows = len(xs) - 1, len(ys) - 1
    below = [[_covered(across, ys[r + 1], xs[c], xs[c + 1]) for c in range(columns)] for r in range(rows)]
    turned = [(y0, x0, y1, x1) for x0, y0, x1, y1 in down]
    beside = [[_covered(turned, xs[c + 1], ys[r], ys[r + 1]) for c in range(columns)] for r in range(rows)]
    taken = [[False] * columns for _ in range(rows)]
    areas = []
    for r in range(rows):
        for c in range(columns):
            if taken[r][c]:
                continue
            right = c + 1
            while right < columns and not beside[r][right - 1] and not taken[r][right]:
                right += 1
            bottom = r + 1
            while bottom < rows and all(not below[bottom - 1][x] and not taken[bottom][x] for x in range(c, right)):
                bottom += 1
            for y in range(r, bottom):
                taken[y][c:right] = [True] * (right - c)
            areas.append(Area(rows=(r, bottom), columns=(c, right)))
    return areas


def _covered(rules: Sequence[Rect], level: float, start: float, end: float) -> bool:
    """Whether rules at that level cover most of the way from start to end."""
    covered = sum(
        max(min(rule[2], end) - max(rule[0], start), 0.0) for rule in rules if abs(_level(rule) - level) < NEAR
    )
    return covered > 0.6 * (end - start)
