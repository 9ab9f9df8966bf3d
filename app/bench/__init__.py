"""Benchmarks as commands: `python -m app.bench quality --data FILE.jsonl` prints a table, or JSON for programs."""
