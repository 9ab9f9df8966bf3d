"""What the app's process is told before libraries are imported."""

import subprocess
import sys


def test_reading_in_this_process_imports_neither_layout_models_nor_their_engine() -> None:
    code = "import sys, app.documents.opening; print(sum(sys.modules.get(name) is not None for name in sys.argv[1:]))"
    names = ("pymupdf.layout", "pymupdf4llm", "onnxruntime")
    run = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "0"
