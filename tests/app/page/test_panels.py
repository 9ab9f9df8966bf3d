"""What the panels say, and that nothing in them is ever more than text."""

import re
from dataclasses import replace

import pytest

from app.languages import Languages
from app.page import panels
from app.page.panels.pages import Traces, marked_boxes
from app.page.theme import calm_theme
from app.provenance import receipt, roughly, seconds
from app.sessions.conversation import Exchange
from model.errors import Message
from model.types import Answer, Evidence, PageAttention
from tests.helpers.stand_ins import CountedImages, a_page, loaded

NASTY = '<img src=http://evil.example/x.png onerror="alert(1)">'


def an_exchange(text: str, *evidence: Evidence, question: str = "Who?") -> Exchange:
    answer = Answer(question=question, text=text, finished=True, stop_reason="end", seconds=0.8, evidence=evidence)
    return Exchange(number=1, question=question, answer=answer, status="done", sources=("key-of-a.pdf",))


def evidence(page: int, start: int, end: int, quote: str = "") -> Evidence:
    return Evidence(
        document="a.pdf", document_index=0, page=page, start=start, end=end, quote=quote, score=0.9, verbatim=True
    )


def test_a_receipt_says_what_reading_and_answering_cost() -> None:
    encoded = [loaded("a.pdf", *(a_page(n, "word") for n in range(1, 42)), tokens=28_731).encoded]
    assert receipt(encoded, Answer(question="?", seconds=0.8, encoder_tokens=0)) == (
        "read once: 41 pages, 28,731 tokens, 12.3 s - this answer: 0.80 s, re-read: 0"
    )
    assert receipt(encoded, Answer(question="?", encoder_tokens=7)).endswith("re-read: 7")
    assert receipt(encoded, Answer(question="?", shown_tokens=312)).endswith("re-read: 0 · looked at 312 tokens")
    assert receipt(encoded, Answer(question="?", shown_tokens=28_731)).endswith("re-read: 0")


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0.00 s"), (0.844, "0.84 s"), (12.34, "12.3 s"), (125.2, "2 min 5 s")]
)
def test_times_are_as_precise_as_they_are_short(value: float, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(("value", "text"), [(3, "a few seconds"), (43, "about 45 s"), (200, "about 3 min")])
def test_remaining_times_are_rough(value: float, text: str) -> None:
    assert roughly(value).startswith(text)


def test_whatever_anybody_wrote_is_only_text() -> None:
    document = loaded(NASTY, a_page(1, NASTY))
    shown = [
        panels.documents([document], [document], ""),
        panels.sheets(document, "/page/"),
        panels.viewer(document, 1, Traces()),
        panels.page_words(document.document.pages[0]),
        panels.conversation([an_exchange(NASTY, evidence(1, 0, 3, NASTY), question=NASTY)], [], waiting_for=""),
        panels.messages([Message(NASTY)]),
        panels.asking_problem(NASTY),
        panels.lock_reason(NASTY),
        panels.problem(NASTY),
        panels.waiting_to_read([NASTY]),
    ]
    for html in shown:
        assert "evil.example" in html
        assert "<img src=http" not in html
        assert '"alert(1)"' not in html


def test_a_long_document_is_never_rendered_all_at_once() -> None:
    images = CountedImages()
    document = loaded("long.pdf", *(a_page(n, "word") for n in range(1, 101)), images=images)
    assert panels.sheets(document, "/page/").count('class="sheet"') == 100
    assert 'data-page="50"' in panels.viewer(document, 50, Traces())
    assert images.rendered == []  # the browser fetches what it comes to


def test_a_page_number_that_is_not_there_shows_the_nearest_page() -> None:
    document = loaded("range.pdf", a_page(3, "three"), a_page(4, "four"))
    assert 'data-page="4" data-visit' in panels.viewer(document, 99, Traces())
    assert 'data-page="3" data-visit' in panels.viewer(document, 0, Traces())


def test_evidence_is_marked_word_by_word_and_joined_on_a_line() -> None:
    page = a_page(1, "The lamp is lit at night")
    boxes = marked_boxes(page, [evidence(1, 4, 11), evidence(2, 0, 3)])
    assert len(boxes) == 1
    assert boxes[0] == pytest.approx((page.words[1].box[0], 0.1, page.words[2].box[2], 0.12))


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("The lamp is lit at night", ["lamp", "is"]),
        ("7 The lamp is lit at night", ["lamp", "is"]),  # it begins with the page's number now, or no longer
        ("The lamp is here and the other lamp is lit at night", ["lamp", "is"]),
        ("Nothing is lit at night", []),
    ],
)
def test_a_mark_stays_on_its_words_where_the_page_is_read_otherwise_later(text: str, marked: list[str]) -> None:
    page = a_page(1, text)
    boxes = marked_boxes(page, [replace(evidence(1, 4, 11), words="lamp is")])
    words = [word for word in page.words if any(x0 <= word.box[0] and word.box[2] <= x1 for x0, _, x1, _ in boxes)]
    assert [text[word.start : word.end] for word in words] == marked


def test_chips_name_each_page_once_and_carry_what_opens_it() -> None:
    html = panels.conversation(
        [an_exchange("lit", evidence(7, 0, 3), evidence(7, 5, 8), evidence(2, 0, 1))], [], waiting_for=""
    )
    assert re.findall(r">p\. (\d+)<", html) == ["7", "2"]
    assert 'data-document="key-of-a.pdf" data-page="7" data-exchange="1"' in html


def test_a_chip_of_a_document_that_is_gone_says_so_and_opens_nothing() -> None:
    html = panels.conversation([an_exchange("lit", evidence(7, 0, 3))], [], waiting_for="", is_here=lambda _: False)
    assert "(the document was forgotten)" in html and 'data-event="open"' not in html


def test_the_strip_marks_the_pages_that_the_chips_name() -> None:
    attended = replace(evidence(2, 0, 3), verbatim=False)
    for exchange in (1, None):  # of none where words were searched, or a row of a table was opened
        traces = Traces(exchange=exchange, evidence=(attended,))
        html = panels.viewer(loaded("a.pdf", a_page(1, "one"), a_page(2, "two")), 1, traces)
        assert re.findall(r'class="cell( found)?', html) == ["", " found"]
        assert ("where the answer comes from" in html) is (exchange == 1)


def test_words_lie_where_they_stand_and_hidden_ones_are_not_selected() -> None:
    page = a_page(1, "The lamp <b>")
    shown = panels.page_words(replace(page, words=(page.words[0], replace(page.words[1], hidden=True), page.words[2])))
    assert ">The </span>" in shown and "&lt;b&gt; </span>" in shown and "lamp" not in shown


def test_a_doubtful_answer_is_marked() -> None:
    exchange = an_exchange("lit", evidence(1, 0, 3))
    for doubtful in (False, True):
        shown = replace(exchange, answer=replace(exchange.answer, doubtful=doubtful))
        assert ("Not sure of this answer" in panels.conversation([shown], [], waiting_for="")) is doubtful


def test_the_sentence_is_quoted_under_an_answer_that_does_not_say_all_of_it() -> None:
    place = replace(evidence(1, 0, 3), quote="The lamp is <lit>\nat night.", hidden=True)
    html = panels.conversation([an_exchange("lit", place)], [], waiting_for="")
    assert "The lamp is &lt;lit&gt; at night." in html and "These words cannot be seen on the page." in html
    whole = panels.conversation([an_exchange("The lamp is <lit> at night.", place)], [], waiting_for="")
    assert "<blockquote" not in whole


def test_what_we_say_is_translated_and_what_the_document_says_is_not() -> None:
    exchange = an_exchange("I could not find this in the document.")
    ours = replace(exchange, answer=replace(exchange.answer, is_message=True, found=False))
    for one, translated in ((ours, True), (exchange, False)):
        html = Languages().accepted("de").html(panels.conversation([one], [], waiting_for=""))
        assert ("Das habe ich im Dokument nicht gefunden." in html) is translated


def test_the_heat_strip_has_a_cell_for_each_page_and_groups_many() -> None:
    traces = Traces(
        exchange=7,
        evidence=(evidence(250, 0, 2),),
        attention=tuple(PageAttention(document_index=0, page=n, share=0.5 if n == 9 else 0.0) for n in range(1, 301)),
    )
    html = panels.viewer(loaded("long.pdf", *(a_page(n, "word") for n in range(1, 301))), 1, traces)
    assert html.count('class="cell') == 100
    assert 'data-page="9" data-exchange="7" style="--heat:1.00" title="Page 9: 50% of the attention"' in html
    assert 'class="cell found"' in html


def test_documents_say_how_well_they_could_be_read() -> None:
    document = loaded("scan.pdf", a_page(1, "a", source="ocr"), a_page(2, "b", source="ocr", unread_boxes=12))
    html = panels.documents([document], [], "")
    assert "2 pages read by OCR; 12 places could not be read (page 2)" in html
    assert "2 pages · 10 tokens" in html


def test_the_theme_keeps_the_colours_of_page_and_controls() -> None:
    theme = calm_theme()
    assert (theme.background_fill_primary_dark, theme.button_primary_background_fill_dark) == ("#232220", "#267765")


def test_what_could_not_be_read_of_a_damaged_file_is_said() -> None:
    pages = [replace(a_page(number, "a"), unread_parts=("form fields",)) for number in (1, 3)]
    document = loaded("form.pdf", *pages, replace(a_page(4, ""), unread_parts=("the whole page",)))
    shown = panels.documents([document], [document], document.key)
    assert "unreadable: form fields (pages 1, 3); unreadable: the whole page (page 4)" in shown
    language = Languages().accepted("de")
    german = language.html(panels.documents([document], [document], document.key, language=language))
    assert "nicht lesbar: Formularfelder (Seiten 1, 3); nicht lesbar: die ganze Seite (Seite 4)" in german
