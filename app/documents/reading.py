"""One document's pages, as its workers send them: a page that ends its worker is left out, and a new one goes on."""

import contextlib
from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import replace

from app.documents.copies import PrivateCopy
from app.documents.limits import Limits
from app.documents.messages import Opened, ReadJob
from app.documents.parts import LETTER, lost_page
from app.documents.patience import PageError
from app.documents.pool import WorkerPool
from model.errors import DocumentError
from model.types import CancelledCallback, Page, Progress, ProgressCallback


class Reading:
    """Reads one document once."""

    def __init__(self, pool: WorkerPool, limits: Limits, job: ReadJob, copy: PrivateCopy, caller: Hashable) -> None:
        self._pool = pool
        self._limits = limits
        self._job = job
        self._copy = copy
        self._caller = caller
        self._left: deque[int] | None = None  # page numbers to come; None: the file has not been opened
        self.total = 0  # pages that were asked for, once the file is open
        self._read = 0

    def pages(self, progress: ProgressCallback | None, cancelled: CancelledCallback | None) -> Iterator[Page]:
        """All pages that were asked for, in order. Raises DocumentError where none can be read, and Cancelled."""
        lost: list[PageError] = []
        size = LETTER
        job = self._job
        while self._left is None or self._left:
            try:
                for page in self._some(job, progress, cancelled):
                    size = (page.width, page.height)
                    yield page
            except PageError as error:
                lost.append(error)
                if not self._left or len(lost) > self._limits.lost_pages:
                    raise
                job = replace(job, after=self._left.popleft())
                yield lost_page(job.after, *size)
        if lost and not self._read:
            raise DocumentError(lost[0].message)

    def _some(
        self, job: ReadJob, progress: ProgressCallback | None, cancelled: CancelledCallback | None
    ) -> Iterator[Page]:
        """Pages up to the last, or up to one that ends the worker."""

        def waits(before: int) -> None:
            if progress is not None:
                progress(Progress(stage="opening", done=0, total=before, unit="documents"))

        run = self._pool.run(job, self._copy, caller=self._caller, cancelled=cancelled, waits=waits)
        with contextlib.closing(run) as replies:
            for reply in replies:
                match reply:
                    case Opened():
                        self._open(reply.numbers)
                    case Page() if self._left and self._left[0] == reply.number:
                        self._left.popleft()
                        self._read += 1
                        yield reply
                    case Progress():
                        if progress is not None:
                            progress(replace(reply, done=self.total - len(self._left or ()), total=self.total))
                    case _:
                        raise self._nonsense()
        if self._left is None or self._left:
            raise self._nonsense()

    def _open(self, numbers: tuple[int, ...]) -> None:
        if len(numbers) > self._limits.max_pages or (self._left is not None and numbers != tuple(self._left)):
            raise self._nonsense()
        if self._left is None:
            self._left, self.total = deque(numbers), len(numbers)

    def _nonsense(self) -> DocumentError:
        return DocumentError("{name!r} was not read as it should be: export or download it again.", name=self._job.name)
