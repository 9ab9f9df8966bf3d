"""Documents: bytes -> text with places, and pictures of the pages. Start at `reader.py`."""

from app.documents.images import PageImages, ReadDocument
from app.documents.limits import Limits
from app.documents.partly_read import PartlyRead
from app.documents.reader import DocumentReader

__all__ = ["DocumentReader", "Limits", "PageImages", "PartlyRead", "ReadDocument"]
