"""Models of the hub: fetched once, and each failure told apart. The hub is a server on this machine."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest

from model.checkpoints.checkpoint import Checkpoint
from model.errors import CheckpointError
from tests.helpers.fake_hub import COMMIT, HubState, Refusal, serve

NAME = "someone/tiny-t5gemma-2"
GATED = Refusal(status=401, code="GatedRepo", message=f"Access to model {NAME} is restricted.")
NOT_ON_THE_LIST = Refusal(status=403, code="GatedRepo", message=f"Access to model {NAME} is restricted.")

Load = Callable[[str], Checkpoint]


@pytest.fixture
def hub(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubState]:
    """A hub with one model, an empty cache, and no token in the environment."""
    state = HubState(name=NAME, folder=shutil.copytree(tiny_folder, tmp_path / "served"))
    server = serve(state)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    template = huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE.replace("https://huggingface.co", address)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield state
    server.shutdown()
    server.server_close()


def test_a_model_is_fetched_and_loads(hub: HubState, load: Load, tiny_checkpoint: Checkpoint) -> None:
    checkpoint = load(NAME)
    assert checkpoint.name == NAME
    assert checkpoint.fingerprint == tiny_checkpoint.fingerprint  # where it came from does not matter
    assert hub.tokens == {None}


@pytest.mark.usefixtures("hub")
def test_the_download_tells_its_progress(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from model.checkpoints import load_checkpoint

    told: list[tuple[str, float]] = []
    load_checkpoint(NAME, cache_folder=tmp_path, progress=lambda *step: told.append(step))
    fractions = [fraction for stage, fraction in told if stage == f"downloading {NAME}"]
    assert all(0.0 <= fraction <= 1.0 for fraction in fractions) and fractions[-1] == 1.0
    assert capfd.readouterr() == ("", "")


def test_only_what_is_needed_is_fetched(hub: HubState, load: Load) -> None:
    (hub.folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (hub.folder / "checkpoint-100").mkdir()
    (hub.folder / "checkpoint-100" / "model.safetensors").write_bytes(b"an older one")
    load(NAME)
    fetched = {request.rpartition("/")[2] for request in hub.requests if f"/resolve/{COMMIT}/" in request}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= fetched
    assert "pytorch_model.bin" not in fetched and not any("checkpoint-100" in request for request in hub.requests)


def test_the_token_comes_from_the_environment(hub: HubState, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_this_test")
    load(NAME)
    assert hub.tokens == {"Bearer hf_of_this_test"}


@pytest.mark.parametrize("away", [Refusal(status=503), Refusal(status=429)])
def test_a_fetched_model_loads_while_the_hub_is_away(hub: HubState, load: Load, away: Refusal) -> None:
    load(NAME)
    hub.of_model = away
    assert load(NAME).name == NAME


def test_a_fetched_model_loads_offline(hub: HubState, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    load(NAME)
    hub.requests.clear()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert load(NAME).name == NAME
    assert hub.requests == []


@pytest.mark.usefixtures("hub")
def test_offline_and_never_fetched(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match=r"HF_HUB_OFFLINE .* is set \(unset it.*never downloaded.*embedded"):
        load(NAME)


@pytest.mark.usefixtures("hub")
def test_no_network(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://nowhere.invalid")
    with pytest.raises(CheckpointError, match=r"does not answer.*check the network.*never downloaded.*embedded"):
        load(NAME)


@pytest.mark.usefixtures("hub")
def test_an_interrupted_download_is_said_to_be_one(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    load(NAME)
    next(Path(huggingface_hub.constants.HF_HUB_CACHE).rglob("model.safetensors")).unlink()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match="its download was interrupted"):
        load(NAME)


def test_a_gated_model_without_a_token(hub: HubState, load: Load) -> None:
    hub.of_files = GATED
    with pytest.raises(CheckpointError, match=rf"no token is set.*https://huggingface\.co/{NAME}.*HF_TOKEN"):
        load(NAME)


def test_a_licence_that_was_not_accepted(hub: HubState, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of_this_test")
    hub.of_files = NOT_ON_THE_LIST
    with pytest.raises(CheckpointError, match=rf"licence.*not accepted.*https://huggingface\.co/{NAME}"):
        load(NAME)


def test_a_token_that_is_not_valid(hub: HubState, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    hub.of_model = Refusal(status=401, message="Invalid credentials in Authorization header")
    with pytest.raises(CheckpointError, match="does not accept the HF_TOKEN"):
        load(NAME)


@pytest.mark.parametrize("answer", [Refusal(status=404, code="RepoNotFound"), Refusal(status=401)])
def test_a_model_that_does_not_exist(hub: HubState, load: Load, answer: Refusal) -> None:
    hub.of_model = answer
    with pytest.raises(CheckpointError, match=f"no model {NAME} that you may see"):
        load(NAME)


def test_a_model_that_was_taken_down(hub: HubState, load: Load) -> None:
    hub.of_model = Refusal(status=403, message="Access to this resource is disabled.")
    with pytest.raises(CheckpointError, match=r"refuses .* with status 403"):
        load(NAME)


def test_another_kind_of_model_is_refused_before_its_weights_are_fetched(hub: HubState, load: Load) -> None:
    (hub.folder / "config.json").write_text('{"model_type": "bert", "architectures": ["BertModel"]}')
    with pytest.raises(CheckpointError, match=r"another kind of model .BertModel"):
        load(NAME)
    assert not any(request.endswith(".safetensors") for request in hub.requests)
