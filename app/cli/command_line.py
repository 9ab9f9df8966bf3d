"""The command line: serve, ask, encode, caption, info, and the library's commands.

Answers go to standard output, progress and errors to standard error. The exit status is 0, or 2 with one line about
what was wrong with the input. A command is a function that takes the parsed arguments; it imports what it needs when
it runs, so that `--help` is there at once.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from app.cli.progress import LOG_SECONDS
from app.cli.serve import add_serving_options, serve
from app.cli.terminal import harmless
from app.faults import in_words, is_full_disk
from app.open_files import raise_open_files_limit
from model.errors import ReadonceError

BAD_INPUT = 2
INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended
READER_GONE = 141  # the same for a closed pipe


class OneLineParser(argparse.ArgumentParser):
    """Tells an error in one line; the usage is there for `--help`."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str], *, name: str = "python -m app", log_seconds: float = LOG_SECONDS) -> int:
    """Run the command that the arguments choose, and return the exit status. `log_seconds`: `ProgressLine`."""
    return run(build_parser(name), arguments, argparse.Namespace(log_seconds=log_seconds))


def run(parser: argparse.ArgumentParser, arguments: Sequence[str], settings: argparse.Namespace | None = None) -> int:
    """Run the command that the arguments choose, and return the exit status. `settings`: what it gets beside them."""
    for stream in (sys.stdout, sys.stderr):
        _speak_utf8(stream)
    chosen = parser.parse_args(arguments, settings)
    raise_open_files_limit()
    try:
        chosen.run(chosen)
        sys.stdout.flush()
    except ReadonceError as error:
        print(f"error: {harmless(' '.join(str(error).split()))}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `| head` has read enough
        _drop_output()
        return READER_GONE
    except OSError as error:
        if not is_full_disk(error):
            raise
        print(f"error: {in_words(error)}", file=sys.stderr)
        _drop_output()
        return BAD_INPUT
    return 0


def _drop_output() -> None:
    """Nothing more may be flushed at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser(name: str) -> argparse.ArgumentParser:
    parser = OneLineParser(prog=name, description="Read a document once, ask it anything.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_ask(commands)
    _add_encode(commands)
    _add_caption(commands)
    _add_library(commands)
    _add_people(commands)
    info = commands.add_parser("info", help="versions, device, threads, checkpoints found, cache folder")
    info.set_defaults(run=lazy_command("app.cli.info", "info"))
    return parser


def _add_serve(commands: "argparse._SubParsersAction[OneLineParser]") -> None:
    page = commands.add_parser("serve", help="the page, as `python app.py` serves it")
    add_serving_options(page)
    page.set_defaults(run=serve)


def _add_ask(commands: "argparse._SubParsersAction[OneLineParser]") -> None:
    ask = commands.add_parser("ask", help="ask questions about documents")
    ask.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        type=Path,
        help="a document, or an encoding made with `encode` (.safetensors)",
    )
    ask.add_argument("--all", action="store_true", help="ask everything in the library, in place of files")
    ask.add_argument("--in", dest="folder", metavar="FOLDER", type=Path, help="ask what was added from this folder")
    ask.add_argument(
        "-q", "--question", dest="questions", action="append", required=True, metavar="QUESTION", help="may be repeated"
    )
    ask.add_argument(
        "--turns",
        type=Path,
        metavar="FILE.json",
        help="earlier turns that the questions follow up, [[question, answer], ...]; each question follows these alone",
    )
    _add_reading_options(ask)
    ask.add_argument(
        "--whole-document",
        action="store_true",
        help="look at everything, not only at the passages that share words with the question",
    )
    ask.add_argument("--json", action="store_true", help="print one JSON object")
    ask.set_defaults(run=lazy_command("app.cli.ask", "ask"))


def _add_encode(commands: "argparse._SubParsersAction[OneLineParser]") -> None:
    encode = commands.add_parser("encode", help="read a document once and save its encoding")
    encode.add_argument("file", metavar="FILE", type=Path, help="a document")
    encode.add_argument(
        "-o", "--output", required=True, metavar="ENC.safetensors", type=Path, help="where the encoding goes"
    )
    _add_reading_options(encode)
    encode.set_defaults(run=lazy_command("app.cli.encode", "encode"))


def _add_caption(commands: "argparse._SubParsersAction[OneLineParser]") -> None:
    caption = commands.add_parser("caption", help="say what pictures show, and read their writing")
    caption.add_argument("files", nargs="+", metavar="IMAGE", type=Path, help="a picture: PNG, JPEG, WebP, TIFF, ...")
    caption.add_argument("--detailed", action="store_true", help="a longer caption")
    caption.add_argument("--read", action="store_true", help="the writing in the picture")
    caption.add_argument(
        "-q", "--question", dest="questions", action="append", default=[], metavar="QUESTION", help="may be repeated"
    )
    _add_reading_options(caption)
    caption.add_argument("--json", action="store_true", help="print one JSON object")
    caption.set_defaults(run=lazy_command("app.cli.caption", "caption"))


def _add_library(commands: "argparse._SubParsersAction[OneLineParser]") -> None:
    add = commands.add_parser("add", help="read documents once and keep them in the library")
    add.add_argument("files", nargs="+", metavar="FILE|FOLDER", type=Path, help="folders are gone through")
    add.add_argument("--watch", action="store_true", help="stay, and read what is added or changed there later")
    _add_reading_options(add)
    add.set_defaults(run=lazy_command("app.cli.library", "add"))
    listed = commands.add_parser("list", help="what the library has")
    _add_folder(listed)
    listed.add_argument("--json", action="store_true", help="print one JSON object")
    listed.set_defaults(run=lazy_command("app.cli.library", "list_documents"))
    remove = commands.add_parser("remove", help="remove documents from the library")
    remove.add_argument("targets", nargs="*", metavar="NAME|FILE|FOLDER", help="what `list` shows")
    remove.add_argument("--undo", action="store_true", help="have back what was removed within the last ten seconds")
    remove.add_argument("--everything", action="store_true", help="forget all documents and conversations, for good")
    remove.set_defaults(run=lazy_command("app.cli.library", "remove"))
    export = commands.add_parser("export", help="write documents of the library, and what was read, into one file")
    export.add_argument("-o", "--output", required=True, metavar="FILE.zip", type=Path, help="where the file goes")
    _add_folder(export)
    export.set_defaults(run=lazy_command("app.cli.library", "export"))
    take = commands.add_parser("import", help="take documents in that `export` has written")
    take.add_argument("file", metavar="FILE.zip", type=Path)
    take.set_defaults(run=lazy_command("app.cli.library", "import_documents"))


def _add_people(commands: "argparse._SubParsersAction[OneLineParser]") -> None:
    user = commands.add_parser("user", help="who may sign in, where READONCE_USERS names a file")
    acts = user.add_subparsers(dest="act", metavar="add|password|remove|list", required=True)
    acts.add_parser("add", help="asks for a password, or reads a line").add_argument("name", metavar="NAME")
    acts.add_parser("password", help="another one, in the same way").add_argument("name", metavar="NAME")
    acts.add_parser("remove", help="with all keys").add_argument("name", metavar="NAME")
    acts.add_parser("list", help="all names")
    user.set_defaults(run=lazy_command("app.cli.people", "user"))
    key = commands.add_parser("key", help="keys for programs: /v1, /gradio_api, MCP, /metrics")
    acts = key.add_subparsers(dest="act", metavar="add|remove|list", required=True)
    add = acts.add_parser("add", help="prints a new key, once")
    add.add_argument("name", metavar="NAME")
    whose = add.add_mutually_exclusive_group(required=True)
    whose.add_argument("--user", metavar="PERSON", help="it works for this person, in their library")
    whose.add_argument("--metrics", action="store_true", help="it reads /metrics, and nothing else")
    acts.add_parser("remove", help="it works no more").add_argument("name", metavar="NAME")
    acts.add_parser("list", help="names, not the keys themselves")
    key.set_defaults(run=lazy_command("app.cli.people", "key"))


def _add_folder(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--in", dest="folder", metavar="FOLDER", type=Path, help="only what was added from this folder"
    )


def _add_reading_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model",
        metavar="NAME",
        help="embedded, a model of the Hugging Face hub, or a folder (default: READONCE_MODEL)",
    )
    command.add_argument(
        "--pages",
        action="append",
        default=[],
        metavar="WHICH|HOW",
        help="only these pages, such as 3-10 or 1,4-6; or how they enter: text, image, both or auto (the default); "
        "may be given twice",
    )
    command.add_argument(
        "--pan-and-scan", action="store_true", help="see each page that enters as an image in crops, too (dense pages)"
    )
    command.add_argument("--password", metavar="P", help="opens an encrypted document")


def lazy_command(module: str, function: str) -> Callable[[argparse.Namespace], None]:
    """The command that this function of a module is. The module is imported when the command runs."""

    def command(arguments: argparse.Namespace) -> None:
        getattr(importlib.import_module(module), function)(arguments)

    return command


def _speak_utf8(stream: TextIO) -> None:
    """JSON is UTF-8 whatever the locale says, and no character of a document may end the program."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="backslashreplace")
