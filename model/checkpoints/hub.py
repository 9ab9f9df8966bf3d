"""Fetching a model from the Hugging Face hub into its cache, and telling in words why that failed."""

import io
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import tqdm
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    IncompleteSnapshotError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from model.checkpoints.folder import check_kind
from model.errors import CheckpointError, Message, ReadonceError

ANSWER_SECONDS = 10  # the hub's client has no limit of its own for its first call
FILES = ["*.json", "*.safetensors"]  # no pickles
SUBFOLDERS = ["*/*"]  # intermediate checkpoints, other formats
TOKEN_VARIABLE = "HF_TOKEN"
TOKENS = "https://huggingface.co/settings/tokens"


def is_hub_name(name: str) -> bool:
    """Whether the name can be a model of the hub: `owner/model`."""
    return re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name, re.ASCII) is not None and ".." not in name and "--" not in name


def fetch(name: str, *, progress: Callable[[str, float], None]) -> Path:
    """The folder of the hub's cache that holds the model, downloaded if need be; the cached one if the hub is away."""
    token = os.environ.get(TOKEN_VARIABLE) or False  # from the environment only: `False` keeps stored logins out
    progress(Message("asking the hub for {name}", name=name), 0.0)
    bar = _reporting_bar(Message("downloading {name}", name=name), progress)
    try:
        HfApi(token=token).model_info(name, timeout=ANSWER_SECONDS)  # fails at once where a download would retry
        download = partial(snapshot_download, name, token=token, tqdm_class=bar)
        check_kind(Path(download(allow_patterns="config.json")), name=name)  # before gigabytes of weights are fetched
        return Path(download(allow_patterns=FILES, ignore_patterns=SUBFOLDERS))
    except ReadonceError:
        raise
    except Exception as error:  # the client lets its HTTP library's own exceptions through
        refusal = _refusal(name, error, has_token=bool(token))
        if refusal is not None:
            raise refusal from error
        return _cached(name, error)


def _refusal(name: str, error: Exception, *, has_token: bool) -> CheckpointError | None:
    """What to tell the person if the hub answered with a definite no; None if it could not be asked."""
    page = f"https://huggingface.co/{name}"
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else 0
    if isinstance(error, GatedRepoError) and not has_token:  # a RepositoryNotFoundError too, so it comes first
        return CheckpointError(
            "{name} needs a licence click, and no token is set. Accept the licence on {page}, make a token with read"
            " access on {tokens}, and set it as HF_TOKEN in the environment.",
            name=name,
            page=page,
            tokens=TOKENS,
        )
    if isinstance(error, GatedRepoError) and status != 401:
        return CheckpointError(
            "The licence of {name} is not accepted by the account of your HF_TOKEN. Accept it on {page} "
            "(a fine-grained token must also allow reading gated repositories), then start again.",
            name=name,
            page=page,
        )
    if status == 401 and has_token:
        return CheckpointError(
            "The hub does not accept the HF_TOKEN in the environment (status 401 for {name}). "
            "Make a new one on {page}, or check the name: a wrong name looks the same.",
            name=name,
            page=TOKENS,
        )
    if isinstance(error, RepositoryNotFoundError) or status == 401:
        return CheckpointError(
            "The hub has no model {name} that you may see. Check the spelling on {page}; "
            "a private model needs a token of its owner in HF_TOKEN.",
            name=name,
            page=page,
        )
    if 400 <= status < 500 and status not in (408, 429):
        return CheckpointError(
            "The hub refuses {name} with status {n}. Look at {page}, or use another checkpoint.",
            name=name,
            n=status,
            page=page,
        )
    return None


def _cached(name: str, error: Exception) -> Path:
    """The model as an earlier run left it in the cache, if it is all there."""
    try:
        return Path(snapshot_download(name, allow_patterns=FILES, ignore_patterns=SUBFOLDERS, local_files_only=True))
    except IncompleteSnapshotError as incomplete:
        found = Message("its download was interrupted ({folder} lacks files)", folder=incomplete.snapshot_path)
    except LocalEntryNotFoundError:
        found = Message("it was never downloaded to this machine")
    raise CheckpointError(
        "{name} cannot be fetched: {reason}, and {found}. "
        "Or use the checkpoint that needs no network: --model embedded.",
        name=name,
        reason=_obstacle(error),
        found=found,
    ) from error


def _obstacle(error: Exception) -> Message:
    """Why the hub could not be asked, and what to do about it."""
    if isinstance(error, OfflineModeIsEnabled):
        return Message("HF_HUB_OFFLINE (or TRANSFORMERS_OFFLINE) is set (unset it to download)")
    if isinstance(error, HfHubHTTPError):
        return Message("the hub answers with status {n} (try again later)", n=error.response.status_code)
    reason = " ".join(str(error).split()) or type(error).__name__
    return Message("the hub does not answer: {why} (check the network and the proxy)", why=reason)


def _reporting_bar(stage: str, progress: Callable[[str, float], None]) -> type[tqdm.tqdm]:
    """A bar for the hub's client that draws nothing and tells `progress` how many of the bytes are here."""

    class ReportingBar(tqdm.tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options | {"file": io.StringIO()})

        def update(self, n: float | None = 1) -> bool | None:
            changed = super().update(n)
            if self.desc.startswith("Reconstruct") and self.total:  # bytes on the disk; other bars count other things
                progress(stage, min(1.0, self.n / self.total))
            return changed

    return ReportingBar
