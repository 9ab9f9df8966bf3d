"""What a file from outside may cost."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one document and on the worker process that reads it.

    Seconds are those of processor time that the worker has used, so that a busy machine refuses nothing that an idle
    one reads. The clock counts only where the worker stands still, and far above the processor time (`patience.py`).
    The memory bound is address space (RLIMIT_AS, where the platform has it); onnxruntime alone reserves 2 GiB of it.
    """

    max_bytes: int = 100 * MIB
    max_pages: int = 2_000
    max_pixels: int = 100_000_000  # of one picture, before it is decoded
    seconds_per_page: float = 90.0  # the worker is then ended, and the page is left out
    seconds: float = 3_600.0  # for one whole document
    lost_pages: int = 20  # a document that ends its worker more often is given up
    page_bytes: int = 16 * MIB  # of what is said of one page: its text and the boxes of its words
    document_bytes: int = 512 * MIB  # of all that is said of a document, or of one picture of a page
    worker_bytes: int = 6 * 1024 * MIB
    worker_seconds: int = 7_200  # of one worker's whole life (RLIMIT_CPU)
    niceness: int = 0  # of a worker, from 0 to 19: how far it stands behind other processes where cores are scarce
    idle_seconds: float = 120.0  # of a clock, after which a worker with nothing to do is ended
