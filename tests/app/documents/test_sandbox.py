"""A worker can read what it is handed and its libraries, and do nothing else: tried from within."""

import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from app.documents import DocumentReader
from app.documents.sandbox import landlock, seccomp
from app.documents.sandbox.system_calls import allowed_calls
from app.environment import worker_environment
from model.storage.owned_folder import sweep
from tests.helpers.awaited import PATIENCE, wait_until
from tests.helpers.documents import pdf, written

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the parts of the kernel that confine are Linux's")
ROOT = Path(__file__).resolve().parents[3]

CONFINED = """
import ctypes, json, os, resource, signal, socket, subprocess, sys, threading
from pathlib import Path
from app.documents.limits import Limits
from app.documents.sandbox import confine
libc = ctypes.CDLL(None, use_errno=True)
parent, secret, documents = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
handed = os.open(documents / "handed", os.O_RDONLY)
(documents / "handed").unlink()

def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")

x86 = os.uname().machine == "x86_64"
refused = {
    "internet": lambda: socket.socket(socket.AF_INET),
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "fork": os.fork,
    "program": lambda: os.execv("/bin/true", ["true"]),
    "foreign file": secret.read_text,
    "passwords": Path("/etc/passwd").read_text,
    "the project's own folder": lambda: os.listdir("."),
    "root folder": lambda: os.listdir("/"),
    "folder of documents": lambda: os.listdir(documents),
    "new file": lambda: (documents / "new").write_text("x"),
    "write to what is handed over": lambda: os.write(os.open(f"/proc/self/fd/{handed}", os.O_RDWR), b"x"),
    "delete": secret.unlink,
    "rename": lambda: secret.rename(documents / "mine"),
    "folder": lambda: os.mkdir(documents / "folder"),
    "mode": lambda: os.chmod(secret, 0o777),
    "environment of the parent": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
    "memory of the parent": lambda: open(f"/proc/{parent}/mem", "rb"),
    "signal to the parent": lambda: os.kill(parent, 0),
    "trace": lambda: call(101 if x86 else 117, 16, parent, 0, 0),
    "keys": lambda: call(250 if x86 else 219, 0, 0, 0, 0, 0),
    "rings": lambda: call(425, 1, 0),
    "another table of calls": lambda: call(0x40000000 + 41, 2, 1, 0),
    "more processor time": lambda: resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6)),
    "group": lambda: os.setgid(1),
}
confinement = confine(Limits(), root=Path.cwd(), documents=documents, parent=os.getppid())
done = []
for name, attempt in refused.items():
    try:
        attempt()
        done.append(name)
    except OSError:
        pass
thread = threading.Thread(target=lambda: done.append("thread"))
thread.start()
thread.join()
done.append(Path(f"/proc/self/fd/{handed}").read_text())
import fractions
done.append(fractions.__name__)
print(json.dumps({"done": done, "lacks": confinement.lacks, "holds": confinement.holds}))
"""


@pytest.fixture(scope="module")
def within(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What a confined process could do of all that it tried."""
    folder = tmp_path_factory.mktemp("confined")
    folder.chmod(0o755)
    (folder / "secret").write_text("secret")
    (folder / "documents").mkdir()
    (folder / "documents" / "handed").write_text("handed over")
    (folder / "documents" / "handed").chmod(0o444)
    arguments = [str(os.getpid()), str(folder / "secret"), str(folder / "documents")]
    command, environment = [sys.executable, "-c", CONFINED, *arguments], worker_environment(os.environ)
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert (folder / "secret").read_text() == "secret"
    return json.loads(run.stdout)


def test_nothing_that_is_refused_can_be_done(within):
    if within["lacks"]:
        pytest.skip(f"this kernel lacks {within['lacks']}")
    assert within["done"] == ["thread", "handed over", "fractions"]


def test_what_the_kernel_offers_is_used(within):
    said = " ".join(within["holds"])
    assert ("Landlock" in said) == bool(landlock.abi())
    assert ("seccomp" in said) == (platform.machine() in seccomp.ARCHITECTURES)
    assert "PDEATHSIG" in said and "no_new_privs" in said and "RLIMIT_CPU" in said


def test_a_live_worker_is_confined_and_knows_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    before = set(psutil.Process().children())
    with DocumentReader() as reader:
        reader.read(pdf(written("words")), name="a.pdf").images.close()
        (worker,) = set(psutil.Process().children()) - before
        environment = Path(f"/proc/{worker.pid}/environ").read_text()
        status = dict(line.split(":", 1) for line in Path(f"/proc/{worker.pid}/status").read_text().splitlines())
        assert reader.confinement().holds
    assert "hf_secret" not in environment and "HOME=" not in environment
    assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0


KILLED = """
import sys, threading
from app.documents import DocumentReader
from tests.helpers.documents import pdf, written
reader = DocumentReader()
images = []

def read():  # in a thread that ends: the worker must not end with it
    images.append(reader.read(pdf(*[written("words")] * 3), name="a.pdf").images)

thread = threading.Thread(target=read)
thread.start()
thread.join()
images[0].image(1, width=100)
read()
many = pdf(*[written("words")] * 2000)
print("reading", flush=True)
reader.read(many, name="many.pdf")
"""


def test_a_parent_that_is_killed_leaves_neither_processes_nor_copies(tmp_path):
    command = [sys.executable, "-c", KILLED]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout.readline() == b"reading\n"
        workers = psutil.Process(parent.pid).children(recursive=True)
        assert len(workers) == 2  # one that reads, both times, and one that draws
        parent.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(workers, timeout=PATIENCE)
    assert alive == []
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.stat().st_size == 0 for path in left)  # the lock of a copy's folder, and no document
    for folder in {path.parent for path in left}:
        sweep(folder)  # as the next start does
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


STARTS_A_WORKER = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-m", "app.documents"]).pid, flush=True)
time.sleep(600)
"""


def test_a_worker_that_has_not_been_spoken_to_ends_with_its_parent():
    """Its standard input stays open in another process, so that only the kernel can tell it."""
    command = [sys.executable, "-c", STARTS_A_WORKER]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        worker = psutil.Process(int(parent.stdout.readline()))
        wait_until(lambda: any("pymupdf" in mapped.path for mapped in worker.memory_maps()))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


def decide(program: list[seccomp.Instruction], architecture: int, number: int, *arguments: int) -> int:
    """What the kernel's machine would make of a call."""
    words = [number, architecture, 0, 0]
    for argument in (*arguments, *[0] * (6 - len(arguments))):
        words += [argument & 0xFFFF_FFFF, argument >> 32]
    position, accumulator = 0, 0
    while True:
        code, if_true, if_false, operand = program[position]
        position += 1
        if code == seccomp.LOAD:
            accumulator = words[operand // 4]
        elif code == seccomp.AND:
            accumulator &= operand
        elif code == seccomp.JUMP_IF_EQUAL:
            position += if_true if accumulator == operand else if_false
        else:
            assert code == seccomp.RETURN
            return operand


@pytest.mark.parametrize("machine", seccomp.ARCHITECTURES)
def test_the_filter_allows_what_is_listed_and_nothing_else(machine):
    calls, architecture = allowed_calls(4711), seccomp.ARCHITECTURES[machine]
    program = seccomp.program(machine, calls)
    number_of: Callable = lambda call: call.x86_64 if machine == "x86_64" else call.aarch64  # noqa: E731
    listed = {number_of(call): call for call in calls if number_of(call) is not None}
    assert len(program) < 4_096 and all(
        skip < 256 for _, if_true, if_false, _ in program for skip in (if_true, if_false)
    )
    for number in range(1_000):
        call = listed.get(number)
        always = call is not None and not all(call.alternatives)
        assert (decide(program, architecture, number, 2**64 - 1, 2**64 - 1, 2**64 - 1) == seccomp.ALLOW) == always
        assert decide(program, architecture ^ 1, number) == seccomp.KILL_PROCESS
        for conditions in call.alternatives if call is not None else ():
            arguments = [0] * 6
            for condition in conditions:
                arguments[condition.argument] |= condition.value
            assert decide(program, architecture, number, *arguments) == seccomp.ALLOW


def test_files_are_opened_for_reading_only_and_threads_are_no_processes():
    program = seccomp.program("x86_64", allowed_calls(4711))
    at = seccomp.ARCHITECTURES["x86_64"]
    openat, clone, tgkill = 257, 56, 234
    assert decide(program, at, openat, 0, 0, os.O_CLOEXEC | os.O_DIRECTORY) == seccomp.ALLOW
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC):
        assert decide(program, at, openat, 0, 0, flags) == seccomp.REFUSE
    assert decide(program, at, clone, 0x3D0F00) == seccomp.ALLOW  # what pthread_create asks for
    assert decide(program, at, clone, signal.SIGCHLD) == seccomp.REFUSE
    assert decide(program, at, clone, 0x3D0F00 | 0x40000000) == seccomp.REFUSE  # in a network of its own
    assert decide(program, at, tgkill, 4711) == seccomp.ALLOW
    assert decide(program, at, tgkill, 4712) == seccomp.REFUSE
