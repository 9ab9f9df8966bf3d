"""What a file that comes from elsewhere is called here."""

import re
from typing import Final

LONGEST_NAME: Final = 255  # bytes; file systems have no longer ones
_FOLDERS: Final = re.compile(r".*[/\\]", re.DOTALL)
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def file_name(said: str) -> str:
    """What a foreign name leaves of a file's: no folder, no control character, no more than a name may have.

    Its end says what kind of file it is, and stays.
    """
    name = _CONTROLS.sub("_", _FOLDERS.sub("", said, count=1))
    name = name.encode()[-LONGEST_NAME:].decode(errors="ignore")
    return name if name.strip(".") else "_"  # "." and ".." are folders
