"""What the worker knows of an open document, whatever its format."""

from typing import Protocol

from PIL import Image

from app.documents.recognition import Recognizer
from model.types import Page


class Source(Protocol):
    """Pages that can be read and drawn; numbers count from 1."""

    page_count: int

    def read(self, number: int, recognizer: Recognizer) -> Page:
        """The text of a page and the boxes of its words."""

    def draw(self, number: int, width: int) -> Image.Image:
        """The page in red, green and blue, `width` pixels wide."""

    def close(self) -> None:
        """Let go of the file."""
