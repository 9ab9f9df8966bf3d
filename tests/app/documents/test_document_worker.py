"""The worker process: its death, its silence and the person's impatience harm nobody else."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from app.documents import DocumentReader, Limits
from app.documents.copies import PrivateCopy
from model.errors import Cancelled, DocumentError
from model.types import Progress
from tests.helpers.awaited import PATIENCE
from tests.helpers.documents import pdf, picture, scan, written

FIVE_PAGES = pdf(*(written(f"Page {n}") for n in range(1, 6)))

SLOW = scan(picture(*["Many words to recognise on this line"] * 6))


def children() -> set[int]:
    """The worker processes of this process."""
    found = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-f", "app.documents"], check=False, stdout=subprocess.PIPE
    )
    return {int(line) for line in found.stdout.split()}


def is_open(copy: PrivateCopy) -> bool:
    try:
        return copy.path.exists() if copy.path is not None else os.fstat(copy.descriptor).st_size > 0
    except OSError:
        return False


def test_progress_comes_page_by_page(reader):
    steps: list[Progress] = []
    reader.read(FIVE_PAGES, name="five.pdf", progress=steps.append).images.close()
    assert [(step.stage, step.done, step.total) for step in steps] == [("reading", n, 5) for n in range(6)]
    reader.read(scan(picture("Hello")), name="scan.pdf", progress=steps.append).images.close()
    assert "recognising" in {step.stage for step in steps}


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (signal.SIGKILL, "ended the process that reads it"),
        (signal.SIGSTOP, r"longer than 4 seconds\. Leave that page out"),
    ],
)
def test_after_a_crash_or_a_hang_the_next_read_works(sent, words):
    others = children()

    def strike(_: Progress) -> None:
        for child in children() - others:
            os.kill(child, sent)

    with DocumentReader(Limits(seconds_per_page=4)) as reader:
        with pytest.raises(DocumentError, match=words):
            reader.read(pdf(*[written("words")] * 500), name="bomb.pdf", progress=strike)
        assert len(reader.read(FIVE_PAGES, name="five.pdf").document.pages) == 5


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS")
def test_memory_is_bounded():
    with DocumentReader(Limits(worker_bytes=700 << 20)) as reader:
        with pytest.raises(DocumentError, match="700 MiB"):
            reader.read(scan(picture("OCR needs more than that")), name="hungry.pdf")
        assert reader.read(FIVE_PAGES, name="five.pdf").document.pages[4].text == "Page 5"


def test_a_stop_is_heard_when_it_is_first_asked_for(reader):
    """And not when the page is read: reading this one takes minutes."""
    asked = iter([False, False, True])  # asked once more, it would raise StopIteration
    with pytest.raises(Cancelled):
        reader.read(SLOW, name="slow.pdf", cancelled=lambda: next(asked))
    assert list(asked) == []
    assert len(reader.read(FIVE_PAGES, name="five.pdf").document.pages) == 5


def test_a_page_is_drawn_while_another_document_is_being_read(reader):
    found = reader.read(FIVE_PAGES, name="five.pdf")
    first = found.images.image(1, width=300)
    reading = threading.Event()
    stop = threading.Event()

    def read_slowly() -> None:
        with pytest.raises(Cancelled):
            reader.read(SLOW, name="slow.pdf", progress=lambda _: reading.set(), cancelled=stop.is_set)

    thread = threading.Thread(target=read_slowly)
    thread.start()
    assert reading.wait(PATIENCE)
    assert found.images.image(1, width=300) == first and thread.is_alive()
    stop.set()
    thread.join()
    found.images.close()


def test_pictures_go_with_their_document(reader):
    found = reader.read(FIVE_PAGES, name="five.pdf")
    copy = found.images._copy
    assert is_open(copy)
    with pytest.raises(DocumentError, match="has no page 6"):
        found.images.image(6, width=300)
    with pytest.raises(DocumentError, match="pixels wide"):
        found.images.image(1, width=0)
    found.images.close()
    assert not is_open(copy)
    with pytest.raises(DocumentError, match="was closed"):
        found.images.image(1, width=300)


def test_a_closed_reader_says_so():
    reader = DocumentReader()
    reader.close()
    with pytest.raises(DocumentError, match="closed"):
        reader.read(FIVE_PAGES, name="five.pdf")


def test_the_worker_starts_without_torch_and_gradio():
    code = "import sys, app.documents.worker; print({'torch', 'gradio', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
