"""The command line, `python -m app`: `command_line.py` reads the arguments, each command has a file of its own."""
