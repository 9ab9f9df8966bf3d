"""The cluster by Ray Serve, with a tiny model: in this process, and in several, one of which is killed."""

import os
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pydantic's, of Ray's code
    pytest.importorskip("ray.serve", reason="requirements-cluster.txt is not installed")

import ray

from app.cluster.connection import Cluster
from app.cluster.engine import ClusterEngine
from app.cluster.folder import EncodingFolder
from app.cluster.start import ray_of, run_replicas
from app.cluster.values import ReplicaOptions, Scale
from app.documents import Limits
from model.checkpoints.checkpoint import Checkpoint
from model.engine import Engine
from model.errors import DocumentError, QuestionError
from model.types import Answer, EncodedDocument
from tests.helpers.tiny import document

pytestmark = pytest.mark.filterwarnings("ignore")  # of Ray's own code

TEXT = "The library of Lindau was founded in 1907 by Ada Keller. Its treasurer is Omar Haddad. "
LIMITS = Limits()
QUESTIONS = ("Who founded it?", "When?")


@pytest.fixture
def work(tiny_folder: Path, tmp_path: Path) -> ReplicaOptions:
    return ReplicaOptions(
        model=str(tiny_folder),
        cache_folder=tmp_path / "cache",
        folder=tmp_path / "encodings",
        precision="bfloat16",
        accelerate=False,
    )


def engine_of(checkpoint: Checkpoint, cluster: Cluster, work: ReplicaOptions) -> ClusterEngine:
    folder = EncodingFolder(work.folder, fingerprint=checkpoint.fingerprint, precision=work.precision)
    return ClusterEngine(checkpoint, cluster, folder, memory_precision=work.precision)


def words(answers: tuple[Answer, ...]) -> list[tuple[str, float, object, object]]:
    """All of the answers but their times."""
    return [(one.text, one.probability, one.evidence, one.attention) for one in answers]


def last(engine: Engine, encoded: EncodedDocument) -> tuple[Answer, ...]:
    *_, answers = engine.answer_batch(encoded, QUESTIONS)
    return answers


@pytest.fixture
def in_this_process(work: ReplicaOptions) -> Iterator[Cluster]:
    yield run_replicas(LIMITS, work, encoders=Scale(), answerers=Scale(), local=True)
    ray.shutdown()


@pytest.fixture
def in_several(work: ReplicaOptions) -> Iterator[Cluster]:
    """One encoder and two answerers, each a process."""
    with ray_of(cores=4, object_store_memory=80_000_000, configure_logging=False):
        yield run_replicas(LIMITS, work, encoders=Scale(), answerers=Scale(least=2, most=2))


def test_replicas_read_and_answer_as_one_engine_does(
    in_this_process: Cluster, work: ReplicaOptions, tiny_checkpoint: Checkpoint
) -> None:
    alone = Engine(tiny_checkpoint, memory_precision=work.precision)
    engine = engine_of(tiny_checkpoint, in_this_process, work)
    with in_this_process.reader(LIMITS) as reader:
        read = reader.read(TEXT.encode(), name="letter.txt")
        again = reader.read(TEXT.encode(), name="the same.txt")
        with pytest.raises(DocumentError, match="999"):
            reader.read(TEXT.encode(), name="letter.txt", pages="999")
    expected = words(last(alone, alone.encode(read.document)))

    encoded = engine.encode(read.document)
    assert words(last(engine, encoded)) == expected

    encoder_tokens = in_this_process.encoder_tokens()
    same = engine.encode(again.document)
    assert same.document.name == "the same.txt" and words(last(engine, same)) != expected  # it is cited by its own name
    assert encoder_tokens == in_this_process.encoder_tokens() == alone.encoder_tokens
    assert engine.encoder_tokens == 0
    figures = in_this_process.cache_figures("")
    assert (figures.hits, figures.misses) == (1, 1)

    elsewhere = alone.encode(read.document)  # lies in no folder, and goes itself
    assert words(last(engine, elsewhere)) == expected


def test_what_a_person_should_know_comes_back_as_the_same_error(
    in_this_process: Cluster, work: ReplicaOptions, tiny_checkpoint: Checkpoint
) -> None:
    engine = engine_of(tiny_checkpoint, in_this_process, work)
    encoded = engine.encode(document(TEXT))
    with pytest.raises(QuestionError):
        list(engine.answer(encoded, "why " * 5_000))
    assert words(last(engine, encoded))
    stopped = list(engine.answer(encoded, QUESTIONS[0], cancelled=lambda: True))[-1]
    assert stopped.finished and stopped.stop_reason == "stopped"


@pytest.mark.slow
def test_a_killed_answerer_loses_no_question_and_nothing_is_encoded_again(
    in_several: Cluster, work: ReplicaOptions, tiny_checkpoint: Checkpoint
) -> None:
    engine = engine_of(tiny_checkpoint, in_several, work)
    encoded = engine.encode(document(TEXT))
    encoder_tokens, session = in_several.encoder_tokens(), encoded.document.sha256
    before = words(last(engine, encoded))
    first = in_several.cache_figures(session)
    for _ in range(3):
        assert words(last(engine, encoded)) == before
    held = in_several.cache_figures(session)
    assert (held.process, held.misses, held.hits) == (first.process, 1, 3)  # all went to the one that holds it

    answers = engine.answer_batch(encoded, QUESTIONS)
    next(answers)
    os.kill(first.process, signal.SIGKILL)
    *_, finished = answers
    assert words(finished) == before == words(last(engine, encoded))
    assert in_several.cache_figures(session).process != first.process
    assert in_several.encoder_tokens() == encoder_tokens > 0
