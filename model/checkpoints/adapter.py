"""The adapter file: what training changed, small enough to ship.

For a matrix W there are `W.up` (rank, out) and `W.down` (rank, in) in int8, each with one float32 scale a row
(`.up_scale`, `.down_scale`), and W becomes `W + up.T @ down`. Norm gains are stored whole and replace the start's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from model.errors import CheckpointError
from model.network.int8 import quantize
from model.types import CalibrationWeights, RetrievalProjection, RouterWeights

_ASSETS = Path(__file__).resolve().parent.parent.parent / "assets"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterInfo:
    """What `assets/embedded.json` says of the adapter beside it."""

    version: int
    sha256: str
    chunk_size: int  # document tokens that training read in one piece
    chunk_overlap: int
    encoder_layers: int  # of Gemma's, from the first on
    passage_tokens: int  # that the decoder is shown of a document (`model/answering/retrieval.py`)
    ranking: dict[str, float]  # weights of `model/answering/reranker.py`; none: the likeliest answer is given
    description: str
    retrieval_sha256: str = ""  # of the projection for late interaction; empty: there is none
    router_sha256: str = ""  # of the router; empty: there is none
    # Weights of `model/answering/confidence.py`, with "bias" and "doubt_below"; none: it is not calibrated.
    calibration: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """Differences by matrix name, each (up, down) in float32, and the whole norm gains by name."""

    factors: dict[str, tuple[torch.Tensor, torch.Tensor]]
    norms: dict[str, torch.Tensor]

    def by_name(self) -> dict[str, torch.Tensor]:
        """Factors and norm gains under the names of the trained parameters (`lora.add_lora`)."""
        ups = {f"{name}.up": up for name, (up, _) in self.factors.items()}
        downs = {f"{name}.down": down for name, (_, down) in self.factors.items()}
        return ups | downs | self.norms

    def merge_into(self, weights: dict[str, torch.Tensor]) -> None:
        """Add every difference to its matrix in `weights` and replace the norm gains, each in its own dtype."""
        for name, (up, down) in self.factors.items():
            key = f"{name}.weight"
            weights[key] = (weights[key].float() + up.T @ down).to(weights[key].dtype)
        for name, gain in self.norms.items():
            weights[name] = gain.to(weights[name].dtype)


def averaged(adapter: Adapter, earlier: Adapter, share: float) -> Adapter:
    """The adapter, and as much as `share` of the one that its training began with.

    Factors are averaged, not their products: they have moved little, so it is nearly the same.
    """

    def mean(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.lerp(one, other, share)

    return Adapter(
        factors={
            name: (mean(up, earlier.factors[name][0]), mean(down, earlier.factors[name][1]))
            for name, (up, down) in adapter.factors.items()
        },
        norms={name: mean(gain, earlier.norms[name]) for name, gain in adapter.norms.items()},
    )


def adapter_file() -> Path:
    """The shipped adapter."""
    return _ASSETS / "embedded.safetensors"


def projection_file() -> Path:
    """The shipped projection for late interaction."""
    return _ASSETS / "embedded-retrieval.safetensors"


def read_projection(file: Path, sha256: str) -> RetrievalProjection:
    """The projection of that hash. Raises CheckpointError if the file is missing or another one."""
    _check_hash(file, sha256)
    tensors = {name: tensor.float() for name, tensor in load_file(file).items()}
    return RetrievalProjection(**{field.name: tensors[field.name] for field in fields(RetrievalProjection)})


def router_file() -> Path:
    """The shipped router."""
    return _ASSETS / "embedded-router.safetensors"


def read_router(file: Path, sha256: str) -> RouterWeights:
    """The router of that hash. Raises CheckpointError if the file is missing or another one."""
    _check_hash(file, sha256)
    with safe_open(file, "pt") as stored:
        known = json.loads(stored.metadata()["router"])
        matrix, bias = (stored.get_tensor(name).float() for name in ("matrix", "bias"))
    return RouterWeights(intents=tuple(known["intents"]), matrix=matrix, bias=bias, least=known["least"])


def write_router(router: RouterWeights) -> None:
    """Ship this router, in float16: its probabilities to three digits."""
    tensors = {"matrix": router.matrix.half().contiguous(), "bias": router.bias.half().contiguous()}
    known = {"intents": router.intents, "least": router.least}
    save_file(tensors, router_file(), metadata={"router": json.dumps(known)})
    write_info(replace(adapter_info(), router_sha256=hashlib.sha256(router_file().read_bytes()).hexdigest()))


def adapter_info() -> AdapterInfo:
    """What is known of the shipped adapter."""
    return AdapterInfo(**json.loads((_ASSETS / "embedded.json").read_text(encoding="utf-8")))


def write_info(info: AdapterInfo) -> None:
    """Write what is known of the shipped adapter."""
    text = json.dumps(asdict(info), indent=2, ensure_ascii=False) + "\n"
    adapter_file().with_suffix(".json").write_text(text, encoding="utf-8")


def write_ranking(weights: Mapping[str, float]) -> None:
    """Let the shipped adapter choose among likely answers by these weights."""
    write_info(replace(adapter_info(), ranking={name: round(weight, 3) for name, weight in weights.items()}))


def write_calibration(calibration: CalibrationWeights) -> None:
    """Let the shipped adapter's answers be doubted by these weights."""
    weights = {**calibration.weights, "doubt_below": calibration.doubt_below}
    write_info(replace(adapter_info(), calibration={name: round(weight, 3) for name, weight in weights.items()}))


def write_adapter(adapter: Adapter, file: Path) -> str:
    """Write the adapter with its factors in int8; returns the file's sha256."""
    tensors: dict[str, torch.Tensor] = {name: gain.float().contiguous() for name, gain in adapter.norms.items()}
    for name, factors in adapter.factors.items():
        for kind, factor in zip(("up", "down"), factors, strict=True):
            tensors[f"{name}.{kind}"], tensors[f"{name}.{kind}_scale"] = quantize(factor)
    save_file(tensors, file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def read_adapter(file: Path, sha256: str) -> Adapter:
    """The adapter of that hash. Raises CheckpointError if the file is missing or another one."""
    _check_hash(file, sha256)
    return load_adapter(file)


def _check_hash(file: Path, sha256: str) -> None:
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise CheckpointError(
            "The adapter {file} cannot be read ({why}): install again.", file=file.name, why=error.strerror
        ) from error
    if found != sha256:
        raise CheckpointError(
            "The adapter {file} is damaged: its sha256 is {found}, not {wanted}. Install again, "
            "without changing it on the way (git LFS and text conversion do).",
            file=file.name,
            found=found[:12],
            wanted=sha256[:12],
        )


def load_adapter(file: Path) -> Adapter:
    """Any adapter file, unchecked: a start for further training."""
    tensors = load_file(file)

    def factor(name: str, kind: str) -> torch.Tensor:
        return tensors[f"{name}.{kind}"].float() * tensors[f"{name}.{kind}_scale"][:, None]

    names = [name.removesuffix(".up") for name in tensors if name.endswith(".up")]
    return Adapter(
        factors={name: (factor(name, "up"), factor(name, "down")) for name in names},
        norms={name: value for name, value in tensors.items() if name.endswith("norm.weight")},
    )
