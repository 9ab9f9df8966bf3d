"""A finished run -> the adapter in `assets/`: `python -m model.training.export --folder FOLDER`.

Keeps what training changed: the low-rank factors in int8 and the norm gains. The merged model must still answer as the
trained one did, so measure it afterwards: `python -m app.bench quality`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from model.checkpoints.adapter import (
    Adapter,
    adapter_file,
    adapter_info,
    averaged,
    load_adapter,
    write_adapter,
    write_info,
)
from model.training.data import PASSAGE_TOKENS


def adapter_of(state: Path) -> Adapter:
    """The trained difference in a run's `state.pt`."""
    trained: dict[str, torch.Tensor] = torch.load(state, weights_only=True)["trained"]
    names = [name.removesuffix(".up") for name in trained if name.endswith(".up")]
    return Adapter(
        factors={name: (trained[f"{name}.up"], trained[f"{name}.down"]) for name in names},
        norms={name: value for name, value in trained.items() if name.endswith("norm.weight")},
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.training.export", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the folder of a training run")
    parser.add_argument("--version", type=int, required=True, help="the embedded checkpoint's version")
    parser.add_argument("--earlier", type=Path, help="the adapter that the run began with, to average with")
    parser.add_argument("--share", type=float, default=0.25, help="of the earlier one in the average")
    parser.add_argument("--chunk", type=int, default=512, help="document tokens read in one piece")
    parser.add_argument("--overlap", type=int, default=128)
    parser.add_argument(
        "--passages", type=int, default=PASSAGE_TOKENS, help="document tokens that the decoder is shown"
    )
    parser.add_argument("--description", required=True, help="one sentence for the page's banner")
    arguments = parser.parse_args()
    adapter = adapter_of(arguments.folder / "state.pt")
    if arguments.earlier is not None:
        adapter = averaged(adapter, load_adapter(arguments.earlier), arguments.share)
    sha256 = write_adapter(adapter, adapter_file())
    # What was fitted for the adapter before stays until it is fitted anew (`python -m app.bench ranking`).
    info = replace(
        adapter_info(),
        version=arguments.version,
        sha256=sha256,
        chunk_size=arguments.chunk,
        chunk_overlap=arguments.overlap,
        encoder_layers=sum(name.startswith("model.encoder") and name.endswith("q_proj") for name in adapter.factors),
        passage_tokens=arguments.passages,
        description=arguments.description,
    )
    write_info(info)
    print(f"{adapter_file()}: {adapter_file().stat().st_size / 1e6:.1f} MB, sha256 {sha256}")


if __name__ == "__main__":
    main()
