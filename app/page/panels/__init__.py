"""The panels of the page as HTML. Whatever a file, a model or a person wrote is escaped here, and nowhere else."""

from app.page.panels.banner import banner
from app.page.panels.captions import captions, not_pictures
from app.page.panels.conversation import asking_problem, conversation
from app.page.panels.documents import documents, lock_reason, messages, reading, waiting_to_read
from app.page.panels.library import library, shared
from app.page.panels.overview import hits, nothing_inside, overview, page_text
from app.page.panels.pages import empty_pages, pages, problem
from app.page.panels.table import table, table_problem

__all__ = [
    "asking_problem",
    "banner",
    "captions",
    "conversation",
    "documents",
    "empty_pages",
    "hits",
    "library",
    "lock_reason",
    "messages",
    "not_pictures",
    "nothing_inside",
    "overview",
    "page_text",
    "pages",
    "problem",
    "reading",
    "shared",
    "table",
    "table_problem",
    "waiting_to_read",
]
