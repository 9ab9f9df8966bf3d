"""The worker process that opens files from outside; `process.py` starts it."""

import sys

NOT_NEEDED = ("pymupdf.layout", "pymupdf4llm")  # PyMuPDF imports them, and with them onnxruntime: 80 MiB, half a second

if __name__ == "__main__":
    sys.modules.update(dict.fromkeys(NOT_NEEDED))  # type: ignore[arg-type]  # None: `import` finds no such module

    from app.documents.worker import main

    main()
