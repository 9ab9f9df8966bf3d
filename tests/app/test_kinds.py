"""What kind of document one is: by how it is headed, or by what it is made of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.overview.kinds import kind_of
from app.overview.overview import overview
from model.types import Document, Table
from tests.helpers.tiny import document

ENTRIES = "\n".join(
    f"Holm, A. ({year}). The lamp of the harbour in its year. Lamps, {year - 1900}, 1-9." for year in range(1990, 1999)
)
FIELDS = "\n".join(f"{name}: ________________" for name in ("Name", "Born", "Street", "City", "Signed", "Date"))
ROWS = "\n".join(f"Lamp {number} - Price: {number}; Oil: {2 * number}" for number in range(9))


def with_table(text: str) -> Document:
    made = document(text)
    table = Table(start=0, end=len(ROWS), rows=9, columns=3, cells=())
    return replace(made, pages=(replace(made.pages[0], tables=(table,)),))


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (document("A Bibliography of Lamps\n\nThe lamp."), "Bibliography"),
        (document(ENTRIES), "Bibliography"),
        (document(FIELDS), "Form"),
        (with_table(ROWS), "Table"),
        (with_table(f"{ROWS}\n\nThe prices of lamps rose in every month of the last year."), ""),
        (document(("The keeper rows to the harbour every week. " * 12 + "Signed ______. ") * 6), ""),
        (document("The keeper rows to the harbour every week."), ""),
    ],
)
def test_a_document_is_called_what_it_is(made: Document, kind: str) -> None:
    assert kind_of(made, "") == kind


def test_a_bibliography_opens_with_no_words_of_others() -> None:
    assert overview(document(ENTRIES)).sentences == ()
    assert overview(document(FIELDS)).sentences != ()
