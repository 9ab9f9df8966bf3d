"""A copy of a PDF with highlights in it, and what is to say about each as its note."""

import pymupdf
from pymupdf import mupdf

from app.documents.formats import sniff
from app.documents.messages import Mark, MarkJob
from app.documents.mupdf_source import open_document
from model.errors import DocumentError

AUTHOR = "Readonce"
FOUND, ATTENDED = (1.0, 0.83, 0.25), (0.72, 0.85, 1.0)  # red, green, blue: proof, and a hint


def marked_pdf(data: bytes, job: MarkJob) -> bytes:
    """The copy. One that takes a password takes the same one. Raises DocumentError, PasswordNeeded."""
    if sniff(data, job.name) != "pdf":
        raise DocumentError(
            "{name!r} is no PDF, and only PDFs take marks: save it as a PDF, and drop that.", name=job.name
        )
    with open_document(data, kind="pdf", name=job.name, password=job.password) as document:
        for mark in job.marks:
            if mark.boxes and 1 <= mark.page <= document.page_count:
                _highlight(document[mark.page - 1], mark)
        return bytes(document.tobytes(deflate=True, encryption=mupdf.PDF_ENCRYPT_KEEP))


def _highlight(page: pymupdf.Page, mark: Mark) -> None:
    width, height = page.rect.width, page.rect.height
    shown = [
        pymupdf.Rect(x0 * width, y0 * height, x1 * width, y1 * height) * page.derotation_matrix
        for x0, y0, x1, y1 in mark.boxes
    ]
    annotation = page.add_highlight_annot(shown)
    annotation.set_colors(stroke=FOUND if mark.is_found else ATTENDED)
    annotation.set_info(title=AUTHOR, content=mark.note)
    annotation.update()
