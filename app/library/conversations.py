"""Past conversations: each exchange as JSON that is checked when it is read again."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from app.library.database import Database
from app.sessions.conversation import Exchange
from model.encoding.schema import load_json, parse_value
from model.errors import Message

_LONGEST_TITLE = 80  # characters
_ADDED = {"partial_source": ""}  # fields that exchanges did not have in earlier versions
_ADDED_TO_EVIDENCE = {"words": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredConversation:
    """A conversation by its first question."""

    id: int
    title: str
    questions: int
    changed: float  # seconds since 1970


class Conversations:
    """Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, number: int | None, exchanges: Sequence[Exchange]) -> int | None:
        """Write a conversation as it stands, or a new one where `number` is None; one without answers is deleted."""
        done = [exchange for exchange in exchanges if not exchange.pending]
        with self._database.writing():
            if not done:
                if number is not None:
                    self.remove(number)
                return None
            values = (number, done[0].question[:_LONGEST_TITLE], time.time())
            row = self._database.row(
                "INSERT INTO conversations VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE"
                " SET title = excluded.title, changed = excluded.changed RETURNING id",
                values,
            )
            assert row is not None
            self._database.rows("DELETE FROM exchanges WHERE conversation = ?", (row["id"],))
            self._database.many(
                "INSERT INTO exchanges VALUES (?, ?, ?)",
                [(row["id"], one.number, _as_json(one)) for one in done],
            )
            return int(row["id"])

    def listed(self, most: int) -> list[StoredConversation]:
        """The latest ones first."""
        rows = self._database.rows(
            "SELECT id, title, changed, (SELECT count(*) FROM exchanges WHERE conversation = id) AS questions"
            " FROM conversations ORDER BY changed DESC LIMIT ?",
            (most,),
        )
        return [StoredConversation(**dict(row)) for row in rows]

    def exchanges(self, number: int) -> tuple[Exchange, ...]:
        """All that was asked and answered; what cannot be read any more is left out."""
        rows = self._database.rows("SELECT exchange FROM exchanges WHERE conversation = ? ORDER BY number", (number,))
        found = []
        for row in rows:
            try:
                found.append(_from_json(row["exchange"]))
            except (ValueError, TypeError, KeyError):  # of another version of this program
                continue
        return tuple(found)

    def remove(self, number: int) -> None:
        with self._database.writing():
            self._database.rows("DELETE FROM conversations WHERE id = ?", (number,))


def _as_json(exchange: Exchange) -> str:
    """With the template and the values of its problem, so that it can be said in another language later."""
    problem = [exchange.problem.template, dict(exchange.problem.values)]
    return json.dumps(asdict(exchange) | {"problem": problem}, ensure_ascii=False)


def _from_json(text: str) -> Exchange:
    """Raises ValueError, TypeError or KeyError where this is no exchange."""
    said = load_json(text)
    problem = said["problem"]  # of an earlier version: a text
    template, values = (problem, {}) if isinstance(problem, str) else problem
    exchange = parse_value(Exchange, _completed(said) | {"problem": template})
    return replace(exchange, problem=Message(template, **values))


def _completed(exchange: dict[str, Any]) -> dict[str, Any]:
    """An exchange with the fields that it did not have in an earlier version."""
    answer = exchange["answer"]
    evidence = [{**_ADDED_TO_EVIDENCE, **place} for place in answer["evidence"]]
    return {**_ADDED, **exchange, "answer": {**answer, "evidence": evidence}}
