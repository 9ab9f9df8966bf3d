"""The worker process that opens files from outside; `process.py` starts it."""

if __name__ == "__main__":
    from app.documents.worker import main

    main()
