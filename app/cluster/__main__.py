"""`python -m app.cluster`: start the replicas, and keep them until Ctrl-C. READONCE_CLUSTER leads the page to them."""

import argparse
import signal
import sys
import threading
from dataclasses import replace

from app.bench.argument_types import positive
from app.cli.command_line import OneLineParser, run
from app.cluster.values import CACHE_MEGABYTES, ReplicaOptions, Scale
from app.settings import Settings
from model.errors import ReadonceError


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m app.cluster", description="Read and answer in several processes.")
    parser.add_argument("--model", metavar="NAME", help="the checkpoint (default: READONCE_MODEL, else embedded)")
    parser.add_argument("--encoders", type=scale, default=Scale(), metavar="N|N-M", help="that read documents (1)")
    parser.add_argument("--answerers", type=scale, default=Scale(), metavar="N|N-M", help="that answer questions (1)")
    parser.add_argument("--cores", type=positive, default=1, metavar="N", help="of each of them (1)")
    parser.add_argument(
        "--memory-mb",
        type=positive,
        default=CACHE_MEGABYTES,
        metavar="N",
        help=f"encodings of an answerer ({CACHE_MEGABYTES})",
    )
    parser.set_defaults(run=start)
    return parser


def scale(text: str) -> Scale:
    """A number of replicas, or the least and the most."""
    least, _, most = text.partition("-")
    found = Scale(least=positive(least), most=positive(most or least))
    if found.least > found.most:
        raise argparse.ArgumentTypeError(f"{text!r} counts down: give the least first, such as {most}-{least}")
    return found


def start(arguments: argparse.Namespace) -> None:
    """Start the replicas and wait for the end. Raises ReadonceError."""
    settings = Settings.load()
    if settings.cluster is None:
        raise ReadonceError("READONCE_CLUSTER is not set: name the folder that all machines see.")
    try:
        from app.cluster.start import ray_of, run_replicas
    except ModuleNotFoundError as error:
        raise ReadonceError("{name} is missing: pip install -r requirements-cluster.txt", name=error.name) from error
    from app.documents import Limits

    encoders, answerers = (replace(given, cores=arguments.cores) for given in (arguments.encoders, arguments.answerers))
    options = ReplicaOptions(
        model=arguments.model or settings.model,
        cache_folder=settings.cache_folder,
        folder=settings.cluster,
        precision=settings.precision,
        cache_bytes=arguments.memory_mb * 1_000_000,
    )
    ended = threading.Event()
    with ray_of(cores=arguments.cores * (encoders.most + answerers.most) + 1):
        run_replicas(Limits(max_bytes=settings.file_bytes), options, encoders=encoders, answerers=answerers)
        print(
            f"readonce: the cluster is ready; start the page with READONCE_CLUSTER={settings.cluster}", file=sys.stderr
        )
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
        while not ended.wait(1.0):
            pass


if __name__ == "__main__":
    sys.exit(run(build_parser(), sys.argv[1:]))
