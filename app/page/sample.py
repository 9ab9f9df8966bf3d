"""The document that is one click away, and questions to begin with."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A bundled document. `key` is what it is known by once it is read."""

    name: str
    data: bytes
    questions: tuple[str, ...]

    @property
    def key(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def bundled_sample(folder: Path = ASSETS) -> Sample:
    """The sample of `assets/`, with the questions that are offered for it, a line each."""
    questions = (folder / "sample-questions.txt").read_text(encoding="utf-8").splitlines()
    return Sample(
        name="sample.pdf",
        data=(folder / "sample.pdf").read_bytes(),
        questions=tuple(question for question in questions if question.strip()),
    )
