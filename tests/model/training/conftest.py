"""Without the kernels that `torch.compile` makes: that takes a C++ compiler, and half a minute."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_COMPILE_DISABLE", "1")


@pytest.fixture(autouse=True)
def no_gradients() -> None:
    """Training needs them: in place of the fixture of the other tests of the model."""
