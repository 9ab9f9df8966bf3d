"""The worker process that opens files from outside; `process.py` starts it."""

from app.documents.worker import main

main()
