"""What a handler wants changed on the page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """New contents for some panels; None leaves a panel as it is."""

    documents: str | None = None
    reading: str | None = None
    messages: str | None = None
    locked: str | None = None  # the name of the file that needs a password; empty: none does
    pages: str | None = None
    conversation: str | None = None
    question: str | None = None  # what stands in the question box
    unsent: str | None = None  # a question that failed: it returns to the box, unless something new is typed there
    problem: str | None = None  # under the question box
    busy: bool | None = None  # an answer is being waited for: it can be stopped
