"""Whether the GPU is only lent for a call at a time (ZeroGPU), so that no weights can stay on it. Imports no torch."""

import os
from collections.abc import Mapping


def is_lent(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a Space that borrows its GPU."""
    return environment.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
