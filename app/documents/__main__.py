"""The worker process that opens files from outside; `process.py` starts it."""

if __name__ == "__main__":
    from app.documents.sandbox import end_with_parent

    end_with_parent()  # before the rest is imported, which takes seconds where much else goes on
    from app.documents.worker import main

    main()
