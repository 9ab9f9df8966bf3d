"""The command `readonce`. In the wheel this file is `readonce/__init__.py`, beside `app`, `model` and `assets`.

So nothing is installed under a name as general as `app`: both packages are found in this folder, by this command only.
"""

import sys
from pathlib import Path


def main() -> int:
    """Run the command line of the installed package, and return the exit status."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from app.cli.command_line import main as run

    return run(sys.argv[1:], name="readonce")
