"""What is logged, as text or as JSON lines on standard error: what happened and what it cost, never what it said.

No line has a question, an answer, a document's text or name, a path, or an address. A library's own message may quote
such a thing: in JSON only the place that wrote it is told.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the values' types only: `python -m app --help` loads no torch
    from app.settings import LogFormat
    from model.types import Answer, EncodedDocument

_OURS = "readonce"
_FACTS = "readonce_facts"  # the attribute of a record that holds what it tells, by name
Fact = str | int | float | bool


def set_up_logging(form: LogFormat) -> None:
    """Log in this form from now on. As text only faults are told, as JSON each request, reading and answer, too."""
    if form == "json":
        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
        logging.getLogger(_OURS).setLevel(logging.INFO)


def log_event(event: str, **facts: Fact) -> None:
    """Log that something has happened. No fact may be content."""
    logging.getLogger(_OURS).info(event, extra={_FACTS: facts})


def log_fault(text: str) -> None:
    """Tell who runs the server, in either form, what does not work as it should. Nothing of it may be content."""
    logging.getLogger(_OURS).warning(text)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, event, and the facts of it."""

    def format(self, record: logging.LogRecord) -> str:
        is_ours = record.name == _OURS
        line: dict[str, Fact] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage() if is_ours else f"{record.name}: {record.module}, line {record.lineno}",
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["where"] = "".join(traceback.format_tb(record.exc_info[2]))
        return json.dumps(line | getattr(record, _FACTS, {}), ensure_ascii=False)


class WorkLog:
    """Logs what was read and answered, with the receipts' numbers."""

    def was_read(self, chunks: Sequence[EncodedDocument]) -> None:
        log_event(
            "read",
            pages=len(chunks[0].document.pages),
            tokens=sum(chunk.token_count for chunk in chunks),
            bytes=sum(chunk.cache_bytes for chunk in chunks),
            seconds=round(sum(chunk.encode_seconds for chunk in chunks), 3),
        )

    def was_answered(self, answer: Answer) -> None:
        log_event(
            "answered",
            found=answer.found,
            doubtful=answer.doubtful,
            tokens=answer.tokens,
            shown_tokens=answer.shown_tokens,
            encoder_tokens=answer.encoder_tokens,
            first_token_seconds=round(answer.first_token_seconds, 3),
            seconds=round(answer.seconds, 3),
        )
