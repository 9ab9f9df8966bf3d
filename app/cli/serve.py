"""`serve`: the page, from the command line."""

import argparse
import runpy
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "app.py"


def add_serving_options(parser: argparse.ArgumentParser) -> None:
    """The options of `app.py` and of `serve`."""
    parser.add_argument("--model", help="embedded, a name on the Hugging Face hub, or a folder")
    parser.add_argument("--host", help="the address to listen on (default 127.0.0.1: this computer only)")
    parser.add_argument("--port", type=int, help="the port to listen on (default: the first free one from 7860)")


def serve(arguments: argparse.Namespace) -> None:
    """Run `app.py`, whose name the package `app` hides from an import. It ends with its exit status."""
    names = ("model", "host", "port")
    chosen = [f"--{name}={value}" for name in names if (value := getattr(arguments, name)) is not None]
    raise SystemExit(runpy.run_path(str(SCRIPT))["main"](chosen))
