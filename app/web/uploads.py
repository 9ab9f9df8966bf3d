"""The files of the web server: what was uploaded to it, and what it hands out. It decides which of them a request gets.

A path counts only if this server gave it out, letter by letter; nothing is looked up on the disk by a name that a
request has made up. Each upload lies in a folder with a random name of its own, so that only who uploaded it knows its
path. It belongs to the browser that sent it, where that keeps cookies, and to the first session that names it.
"""

import os
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from app.web.hosts import Hosts
from app.web.refusals import RequestRefused
from app.web.routes import FILE

ANYONE: Final = ""  # who knows the path: a client that keeps no cookies has no other name
LONGEST_PATH: Final = 4_096  # characters
BLOCK_BYTES: Final = 65_536  # that a file or folder is counted as, at least: their number is bounded, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: the browser's name (ANYONE for a client without cookies), and the session that Gradio knows."""

    browser: str
    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFile:
    """A regular file of this server, as it was when it came; `path` is resolved."""

    path: Path
    size: int
    identity: tuple[int, int]  # device and inode
    browsers: frozenset[str]  # whose it is; ANYONE among them: whoever knows the path
    session: str | None = None  # the first that has named it
    uploaded: bool

    @classmethod
    def at(cls, path: Path, *, browser: str, uploaded: bool) -> "ServedFile":
        """Raises OSError, or RequestRefused for what is no regular file."""
        path = path.resolve(strict=True)
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise RequestRefused("{name!r} is no regular file. Upload a file.", name=path.name[:100])
        identity = (found.st_dev, found.st_ino)
        return cls(path=path, size=found.st_size, identity=identity, browsers=frozenset({browser}), uploaded=uploaded)

    def is_unchanged(self) -> bool:
        """Whether the same regular file still lies there, and no link, folder or device has taken its place."""
        try:
            found = self.path.lstat()
        except OSError:
            return False
        same = stat.S_ISREG(found.st_mode) and (found.st_dev, found.st_ino) == self.identity
        return same and found.st_size == self.size and self.path.resolve() == self.path

    def belongs_to(self, browser: str) -> bool:
        return ANYONE in self.browsers or browser in self.browsers


class Uploads:
    """All files in a folder that nobody else uses. Safe to use from several threads.

    `capacity_bytes`: of everything that lies in it at a time, of which one browser's uploads take half at most;
    `keep_seconds`: how long a file waits for being used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        hosts: Hosts,
        capacity_bytes: int,
        keep_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder.resolve()
        self._hosts = hosts
        self._capacity_bytes = capacity_bytes
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._files: dict[str, ServedFile] = {}  # by the path that was given out
        self._expected: dict[Path, tuple[str, int]] = {}  # folders that files are coming into -> browser, bytes

    @contextmanager
    def folder_for(self, expected_bytes: int, browser: str) -> Iterator[Path]:
        """An empty folder for the files of one request; where they do not arrive, it goes again.

        Raises RequestRefused where there is no room for `expected_bytes`.
        """
        folder = self._folder / secrets.token_urlsafe(32)
        with self._lock:
            used = sum(_size(entry) for entry in self._folder.iterdir() if entry not in self._expected)
            used += sum(size for _, size in self._expected.values())
            _check_room(used, expected_bytes, self._capacity_bytes)
            _check_room(self._used_by(browser), expected_bytes, self._capacity_bytes // 2)
            self._expected[folder] = browser, expected_bytes
        try:
            folder.mkdir(mode=0o700)
            yield folder
            with suppress(OSError):
                folder.rmdir()  # the request had no file
        except BaseException:
            _delete(folder)
            raise
        finally:
            with self._lock:
                del self._expected[folder]

    def receive(self, path: Path, browser: str) -> str:
        """Note a file that `browser` has uploaded into a new folder; what comes back is the path that names it."""
        return self._note(ServedFile.at(path, browser=browser, uploaded=True))

    def hand_out(self, path: Path, browser: str) -> None:
        """Note a file that was made here for `browser`. The same content may be handed out to several."""
        file = ServedFile.at(path, browser=browser, uploaded=False)
        if not file.path.is_relative_to(self._folder):
            raise RequestRefused("{name!r} does not lie where files for browsers do.", name=path.name[:100])
        self._note(file)

    def take(self, named: object, caller: Caller) -> ServedFile:
        """The upload that a value of a request names; it is the caller's from now on.

        Raises RequestRefused for any value that is not exactly that.
        """
        path = self._path_in(named)
        with self._lock:
            file = self._files.get(path)
            mine = file is not None and file.uploaded and file.belongs_to(caller.browser)
            if file is None or not mine or file.session not in (None, caller.session) or not file.is_unchanged():
                raise RequestRefused(
                    "{file} is not a file that was uploaded on this connection, or it is no longer here."
                    " Upload it, and send the path that comes back.",
                    file=_shown(path),
                )
            self._files[path] = replace(file, session=caller.session)
            return file

    def readable(self, path: str, browser: str) -> ServedFile:
        """The file behind a download address; raises RequestRefused where it is not this browser's."""
        with self._lock:
            file = self._files.get(path)
        if file is None or not file.belongs_to(browser) or not file.is_unchanged():
            raise RequestRefused("There is no such file for this browser, or it is no longer here.", status=404)
        return file

    def sweep(self) -> None:
        """Delete what nobody has used for a while, and what half uploads have left."""
        with self._lock:
            for entry in list(self._folder.iterdir()):
                if entry not in self._expected and self._clock() - _newest(entry) > self._keep_seconds:
                    _delete(entry)
            self._files = {path: file for path, file in self._files.items() if file.path.exists()}

    def drop_loose(self) -> None:
        """Delete empty files that lie in no folder: `gr.File` makes one for each file that it is handed."""
        for entry in self._folder.iterdir():
            with suppress(OSError):
                found = entry.lstat()
                if stat.S_ISREG(found.st_mode) and not found.st_size:
                    entry.unlink()

    def _used_by(self, browser: str) -> int:
        """What this browser's uploads take that are here or on their way."""
        here = [one.path for one in self._files.values() if one.uploaded and browser in one.browsers]
        coming = sum(size for whose, size in self._expected.values() if whose == browser)
        return coming + sum(_size(path) for path in here)

    def _note(self, file: ServedFile) -> str:
        path = str(file.path)
        with self._lock:
            known = self._files.get(path)
            shared = known.browsers if known and known.identity == file.identity else frozenset()
            self._files[path] = replace(file, browsers=file.browsers | shared)
        return path

    def _path_in(self, named: object) -> str:
        """The path in Gradio's file value, a dictionary; anything else names no file.

        A URL is never fetched. One of this server's own download addresses names the file behind it.
        """
        if not isinstance(named, dict) or not isinstance(named.get("path"), str):
            raise RequestRefused(
                '{value} names no file. Upload one, and send {"path": the path that comes back, "meta":'
                ' {"_type": "gradio.FileData"}}.',
                value=_shown(named),
            )
        path, url = self._behind(named["path"]), named.get("url")
        if url is not None and (not isinstance(url, str) or self._behind(url) != path):
            raise RequestRefused(
                "{value} is not the address of that upload. URLs are not fetched: upload it.", value=_shown(url)
            )
        return path

    def _behind(self, address: str) -> str:
        """The path in a download address of this server; any other text is a path already."""
        if len(address) > LONGEST_PATH:
            raise RequestRefused("{value} is too long for a path. Send the path of an upload.", value=_shown(address))
        if address.startswith(FILE):
            return unquote(address.removeprefix(FILE))
        try:
            parts = urlsplit(address)
        except ValueError:
            return address
        _, served, path = parts.path.partition(FILE)
        ours = parts.scheme in ("http", "https") and self._hosts.allow(parts.netloc)
        return unquote(path) if served and ours else address


def _check_room(used: int, more: int, most: int) -> None:
    if used + more > most:
        raise RequestRefused(
            "{used:,} bytes of uploads are here or on their way, and {more:,} more are too many: the limit is"
            " {limit:,}. Try again when they are read.",
            used=used,
            more=more,
            limit=most,
            status=503,
        )


def _shown(value: object) -> str:
    """A foreign value for a message: its beginning."""
    return repr(value)[:120]


def _newest(entry: Path) -> float:
    """When something in it was last written; seconds since the epoch."""
    return max((found.st_mtime for found in _found_in(entry)), default=0.0)


def _size(entry: Path) -> int:
    """What it takes on the disk, about: an empty file, too, takes something."""
    return sum(max(found.st_size, BLOCK_BYTES) for found in _found_in(entry))


def _found_in(entry: Path) -> Iterator[os.stat_result]:
    """The entry itself and what lies in it, as far as it is still there."""
    for path in (entry, *entry.rglob("*")):
        with suppress(OSError):
            yield path.lstat()


def _delete(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)
