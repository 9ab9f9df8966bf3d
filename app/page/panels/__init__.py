"""The panels of the page as HTML. Whatever a file, a model or a person wrote is escaped here, and nowhere else."""

from app.page.panels.banner import banner, title
from app.page.panels.captions import captions, not_pictures
from app.page.panels.conversation import asking_problem, conversation
from app.page.panels.documents import documents, forgets, lock_reason, messages, reading, waiting_to_read, ways_in
from app.page.panels.library import library, shared
from app.page.panels.opening import Opened
from app.page.panels.overview import contents, hits, no_contents, page_text
from app.page.panels.pages import empty_pages, page_words, problem, sheets, viewer
from app.page.panels.table import table, table_problem

__all__ = [
    "Opened",
    "asking_problem",
    "banner",
    "captions",
    "contents",
    "conversation",
    "documents",
    "empty_pages",
    "forgets",
    "hits",
    "library",
    "lock_reason",
    "messages",
    "no_contents",
    "not_pictures",
    "page_text",
    "page_words",
    "problem",
    "reading",
    "shared",
    "sheets",
    "table",
    "table_problem",
    "title",
    "viewer",
    "waiting_to_read",
    "ways_in",
]
