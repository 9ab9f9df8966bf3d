"""The grids of rules on a page in which tables may stand."""

from collections.abc import Sequence

from app.documents.geometry import contains
from app.documents.lines import Piece, rows_of
from app.documents.rules import NEAR, Frame, Rules, frames, joined_frames


def grids(rules: Rules, pieces: Sequence[Piece]) -> list[Frame]:
    """The grids that rules make, without shaded rows and with what belongs together made one."""
    return _joined_beside(_without_stripes(frames(rules)), pieces)


def _joined_beside(found: Sequence[Frame], pieces: Sequence[Piece]) -> list[Frame]:
    """The grids, those made one that stand side by side with a column of words between them, which has no rules."""
    joined: list[Frame] = []
    for frame in sorted(found, key=lambda frame: (round(frame.ys[0]), frame.xs[0])):
        left = joined[-1] if joined else None
        if left is not None and _goes_on_beside(left, frame, pieces):
            joined[-1] = joined_frames(left, frame)
        else:
            joined.append(frame)
    return joined


def _goes_on_beside(left: Frame, right: Frame, pieces: Sequence[Piece]) -> bool:
    """Whether two grids have the same rows, and most of these have words between the two."""
    if len(left.ys) < 3 or len(left.ys) != len(right.ys):
        return False
    level = all(abs(one - other) < NEAR for one, other in zip(left.ys, right.ys, strict=True))
    gap = (left.box[2], left.box[1], right.box[0], left.box[3])
    between = rows_of([piece for piece in pieces if contains(gap, piece.box)]) if level and gap[0] < gap[2] else []
    return (
        2 * len(between) >= len(left.ys) - 1
        and gap[2] - gap[0] < left.box[2] - left.box[0] + right.box[2] - right.box[0]
    )


def _without_stripes(found: Sequence[Frame]) -> list[Frame]:
    """The grids without those that are one shaded row each, with bare rows between them: their table has no rules."""
    single = [frame for frame in found if len(frame.ys) == 2]
    return [frame for frame in found if len(frame.ys) > 2 or not any(_alternate(frame, other) for other in single)]


def _alternate(one: Frame, other: Frame) -> bool:
    """Whether two shaded rows of one table have a bare one between them."""
    height = one.box[3] - one.box[1]
    gap = max(one.box[1], other.box[1]) - min(one.box[3], other.box[3])
    level = abs(one.box[0] - other.box[0]) < NEAR and abs(one.box[2] - other.box[2]) < NEAR
    return level and 0.5 * height < gap < 3 * height
