"""Page pictures for the page: from memory, so that nothing of a document lies in a web server's file cache."""

import base64
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

from app.documents.messages import Mark
from model.errors import DocumentError

REMEMBERED = 48  # a few full pages and the small ones around them


class PageImages(Protocol):
    """What renders pages: `app.documents.PageImages`, or a test's own."""

    def image(self, number: int, *, width: int) -> bytes: ...

    def marked(self, marks: Sequence[Mark]) -> bytes: ...

    def close(self) -> None: ...


class StoredImages:
    """Pictures that came with a saved encoding; they are of one size."""

    def __init__(self, images: Mapping[int, bytes]) -> None:
        self._images = dict(images)

    def image(self, number: int, *, width: int) -> bytes:  # noqa: ARG002 - there is only the one
        if number not in self._images:
            raise DocumentError(
                "No picture of page {number} was saved with this encoding. Drop the document again.", number=number
            )
        return self._images[number]

    def marked(self, marks: Sequence[Mark]) -> bytes:  # noqa: ARG002 - there is no file to put them into
        raise DocumentError("This document came as an encoding, without its file. Drop the file to have it with marks.")

    def close(self) -> None:
        self._images.clear()

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self._images.values()))


class Pictures:
    """Renders a page when it is first looked at, and remembers the last ones. Safe to use from several threads."""

    def __init__(self, images: PageImages) -> None:
        self._images = images
        self._drawing = threading.Lock()  # whoever looks at a page that is being drawn waits for it
        self._lock = threading.Lock()  # held for a moment only
        self._recent: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._closed = False

    def url(self, number: int, *, width: int) -> str:
        """The page as a `data:` URL that is about `width` pixels wide."""
        return data_url(self.picture(number, width=width))

    def picture(self, number: int, *, width: int) -> bytes:
        """The page as a picture that is about `width` pixels wide."""
        with self._drawing:
            picture = self._remembered(number, width)
            if picture is None:
                picture = self._images.image(number, width=width)
                self._remember(number, width, picture)
            return picture

    def image(self, number: int, *, width: int) -> bytes:
        """The page as it is saved with an encoding."""
        return self._images.image(number, width=width)

    def marked(self, marks: Sequence[Mark]) -> bytes:
        """The file, which is a PDF, with marks in it. Raises DocumentError."""
        return self._images.marked(marks)

    @property
    def size_bytes(self) -> int:
        """What those that are remembered take, and those that were saved with an encoding."""
        stored = self._images.size_bytes if isinstance(self._images, StoredImages) else 0
        with self._lock:
            return stored + sum(map(len, self._recent.values()))

    def close(self) -> None:
        """Forget the pictures and the file that they are drawn from. It does not wait for one that is being drawn."""
        self._images.close()
        with self._lock:
            self._closed = True
            self._recent.clear()

    def _remembered(self, number: int, width: int) -> bytes | None:
        with self._lock:
            if (number, width) in self._recent:
                self._recent.move_to_end((number, width))
            return self._recent.get((number, width))

    def _remember(self, number: int, width: int, picture: bytes) -> None:
        with self._lock:
            if not self._closed:
                self._recent[number, width] = picture
                while len(self._recent) > REMEMBERED:
                    self._recent.popitem(last=False)


def media_type(image: bytes) -> str:
    """PNG, JPEG and WebP are told apart by their first bytes."""
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg" if image.startswith(b"\xff\xd8") else "webp"
    return f"image/{kind}"


def data_url(image: bytes) -> str:
    return f"data:{media_type(image)};base64,{base64.b64encode(image).decode('ascii')}"
