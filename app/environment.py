"""What other libraries are told through the environment: to tell nobody about us, and how to wait.

Most of them read it when they are imported, so an entry point calls `prepare_environment` before it imports them.
"""

from collections.abc import Mapping, MutableMapping
from types import ModuleType

NO_TELEMETRY = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime: else it notes a device id and events, and sends them at every start
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "1",
}
_FOR_PYTHON = (  # what a child needs to find the interpreter's own files; nothing that could hold a secret
    "PYTHONHOME",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
    "TESSDATA_PREFIX",
)
_NOT_NEEDED = (
    "pymupdf.layout",
    "pymupdf4llm",
)  # by PyMuPDF, and by them onnxruntime: 80 MiB, 0.5 s
_FRUGAL = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}  # threads and heaps by the core would use up RLIMIT_AS


def prepare_environment(environment: MutableMapping[str, str]) -> None:
    """Set what this process and its libraries should know."""
    environment.update(NO_TELEMETRY)
    # After each event Gradio makes a table of the last 10,000, with percentiles, for a page that is not served here.
    environment.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")
    environment.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")
    # A replica that computes tells late how much waits for it. By default its documents go elsewhere after 0.1 s.
    environment.setdefault("RAY_SERVE_QUEUE_LENGTH_RESPONSE_DEADLINE_S", "5")
    environment.setdefault("RAY_SERVE_MAX_QUEUE_LENGTH_RESPONSE_DEADLINE_S", "10")
    # PyTorch's threads wait for each other a moment, then give their core away. By default they go round in circles
    # thirty times as long: beside two busy processes on two cores a token took 2.3 s instead of 0.28. On an idle
    # machine a token takes a tenth longer so.
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", "10000")


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that opens files from outside: what Python needs, and none of the person's."""
    needed = {name: environment[name] for name in _FOR_PYTHON if name in environment}
    return needed | NO_TELEMETRY | _FRUGAL | {"PYTHONUTF8": "1"}


def leave_out_unneeded(modules: MutableMapping[str, ModuleType]) -> None:
    """Keep libraries from importing others that they can do without. modules: those of this process, by name."""
    for name in _NOT_NEEDED:
        modules.setdefault(name, None)  # type: ignore[arg-type]  # None: `import` finds no such module
