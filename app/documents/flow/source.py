"""Flowing documents as pages: laid out by MuPDF from HTML of our own making, nothing of the file's own markup."""

import io
from collections.abc import Sequence

import pymupdf
from PIL import Image
from pymupdf import mupdf

from app.documents.flow.blocks import Section
from app.documents.flow.pagination import paginate
from app.documents.flow.pictures import placed, recognized
from app.documents.flow.typeset import Typeset, typeset
from app.documents.geometry import Rect, fractions, union
from app.documents.limits import Limits
from app.documents.recognition import Recognizer
from model.errors import DocumentError
from model.types import Page, Word

WIDTH, LEAST_HEIGHT, MARGIN = 595.0, 420.0, 50.0  # points: half of A4, longer or wider where the content needs it
WIDEST, HIGHEST = 4_000.0, 200_000.0
MAX_DRAWN_PIXELS = 30_000_000
STYLE = """
body { font-family: sans-serif; font-size: 10pt; line-height: 1.35; margin: 0 }
h1 { font-size: 17pt; margin: 0 0 8pt 0 } h2 { font-size: 14pt; margin: 8pt 0 6pt 0 }
h3 { font-size: 12pt; margin: 6pt 0 5pt 0 } h4 { font-size: 10.5pt; margin: 5pt 0 4pt 0 }
p { margin: 0 0 6pt 0 } p.note { color: #555555; font-size: 9pt }
pre { font-family: sans-serif; white-space: pre-wrap; margin: 0 0 6pt 0 }
table { border-collapse: collapse; margin: 2pt 0 8pt 0 }
td { border: 0.5pt solid #888888; padding: 2pt 4pt; font-size: 9pt; vertical-align: top }
td.short { white-space: nowrap }
td.head { background-color: #e8ecf2; font-weight: bold }
"""


class FlowingSource:
    """Reads and draws the pages of a flowing document."""

    def __init__(self, sections: Sequence[Section], *, remark: str = "", max_pixels: int = MAX_DRAWN_PIXELS) -> None:
        """`remark` holds for every page; `max_pixels`: a picture with more is left out."""
        self._pages = paginate(sections)
        self._remark = remark
        self._max_pixels = max_pixels
        self.page_count = len(self._pages)

    def read(self, number: int, recognizer: Recognizer) -> Page:
        """The page's text, and behind it what is written in its pictures."""
        page = self._pages[number - 1]
        laid_out = self._laid_out(number)
        width, height = laid_out.size
        words = [
            Word(
                start=word.start,
                end=word.end,
                box=fractions(laid_out.boxes[word.drawn], width, height),
                hidden=word.hidden,
            )
            for word in laid_out.typeset.words
        ]
        text, unread, has_own_text = laid_out.typeset.text, 0, bool(words)
        for picture, rect in zip(laid_out.typeset.figures, laid_out.figures, strict=True):
            if (found := recognized(picture, recognizer)) is not None:
                unread += found.unread_boxes
                gap = "\n\n" if text and found.text else ""
                words += placed(found.words, start=len(text + gap), rect=fractions(rect, width, height))
                text += gap + found.text
        return Page(
            number=number,
            text=text,
            words=tuple(words),
            width=width,
            height=height,
            source="text" if has_own_text or not words else "ocr",
            unread_boxes=unread,
            figures=min(sum(_area(rect) for rect in laid_out.figures) / (width * height), 1.0),
            label=page.label,
            tables=laid_out.typeset.tables,
            remark=self._remark,
        )

    def draw(self, number: int, width: int) -> Image.Image:
        """The page at that width, or less where it would be too many pixels."""
        return self._laid_out(number).draw(width)

    def close(self) -> None:
        self._pages = []

    def _laid_out(self, number: int) -> "_LaidOut":
        return _LaidOut(typeset(self._pages[number - 1], self._max_pixels))


def open_flowing(sections: Sequence[Section], name: str, limits: Limits, *, remark: str = "") -> FlowingSource:
    """A source of the sections. Raises DocumentError where they hold nothing."""
    source = FlowingSource(sections, remark=remark, max_pixels=limits.max_pixels)
    if source.page_count == 0:
        raise DocumentError(
            "{name!r} holds no text and no pictures: choose a file with content, or save it again.", name=name
        )
    return source


class _LaidOut:
    """A page whose words have places, all in points.

    size: width and height; boxes: by the number of the drawn word; figures: where its pictures stand.
    """

    def __init__(self, page: Typeset) -> None:
        self.typeset = page
        width = min(max(WIDTH, page.least_width + 2 * MARGIN), WIDEST)
        self._story, x1, y1 = _placed(page, width)
        if x1 > width - MARGIN:  # a wide table, or a word that cannot be broken
            self._story, x1, y1 = _placed(page, min(x1 + 2 * MARGIN, WIDEST))
        places = self._places()
        right = max((rect[2] for rect in places.values()), default=0.0)
        self.size = max(WIDTH, right + MARGIN), max(LEAST_HEIGHT, y1 + MARGIN)
        count = 1 + max((word.drawn for word in page.words), default=-1)
        nowhere = (MARGIN, MARGIN, MARGIN, MARGIN)
        self.boxes = [places.get(str(number), nowhere) for number in range(count)]
        corners = [places.get(f"f{index}", nowhere)[:2] for index in range(len(page.figures))]
        self.figures: list[Rect] = [
            (x, y, x + picture.width, y + picture.height) for (x, y), picture in zip(corners, page.figures, strict=True)
        ]

    def draw(self, width: int) -> Image.Image:
        """The page in red, green and blue."""
        across, down = self.size
        scale = width / across
        scale *= min(1.0, (MAX_DRAWN_PIXELS / (scale * scale * across * down)) ** 0.5)
        target = io.BytesIO()
        writer = pymupdf.DocumentWriter(target)
        self._story.draw(writer.begin_page(pymupdf.Rect(0, 0, across, down)))
        writer.end_page()
        writer.close()
        with pymupdf.open(stream=target.getvalue(), filetype="pdf") as document:
            matrix = pymupdf.Matrix(scale, scale)
            pixmap = document[0].get_pixmap(matrix=matrix, colorspace=pymupdf.csRGB, alpha=False)
            return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)

    def _places(self) -> dict[str, Rect]:
        """The box of each element; one that was broken over two lines has the box around both parts."""
        parts: dict[str, list[Rect]] = {}

        def note(position: mupdf.fz_story_element_position) -> None:
            rect = position.rect
            if position.id is not None and rect.x1 > rect.x0:
                parts.setdefault(position.id, []).append((rect.x0, rect.y0, rect.x1, rect.y1))

        mupdf.fz_story_positions(self._story.this, note)
        return {name: union(rects) for name, rects in parts.items()}


def _area(rect: Rect) -> float:
    return (rect[2] - rect[0]) * (rect[3] - rect[1])


def _placed(page: Typeset, width: float) -> tuple[pymupdf.Story, float, float]:
    """The page laid out at that width, and how far it reaches to the right and down."""
    archive = pymupdf.Archive()
    for index, figure in enumerate(page.figures):
        archive.add(figure.png, f"f{index}")
    story = pymupdf.Story(html=f"<body>{page.html}</body>", user_css=STYLE, archive=archive)
    _, filled = story.place(pymupdf.Rect(MARGIN, MARGIN, width - MARGIN, HIGHEST))
    return story, filled[2], filled[3]
