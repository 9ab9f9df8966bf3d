"""What a file from outside may cost."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one document and on the worker process that reads it.

    The memory bound is address space (RLIMIT_AS, where the platform has it); onnxruntime alone reserves 2 GiB of it.
    """

    max_bytes: int = 100 * MIB
    max_pages: int = 2_000
    max_pixels: int = 100_000_000  # of one picture, before it is decoded
    seconds_per_page: float = 90.0  # without a sign of life; the worker is then ended
    seconds: float = 3_600.0  # for one whole document
    worker_bytes: int = 6 * 1024 * MIB
