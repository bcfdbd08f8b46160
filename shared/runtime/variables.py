"""Environment variables whose values may lie in files, as container engines hand out secrets."""

import os
from pathlib import Path


class SecretFileError(Exception):
    """A variable is given twice, or the file that should hold its value cannot be read; the message names both."""


def variable(name: str) -> str | None:
    """An environment variable's value, or what is in the file that ``<name>_FILE`` names; None if neither is set.

    A line break at the end of the file is no part of the value, and a variable that is empty counts as not set.
    Raises SecretFileError.
    """
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if not path:
        return value or None
    if value:
        raise SecretFileError(f"{name} and {name}_FILE are both set: leave one of them out")
    try:
        written = Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        # Not the error's own words: those of a decoding error quote what is in the file.
        raise SecretFileError(f"{name}_FILE names {path}, which cannot be read ({type(error).__name__})") from None
    if not written:
        raise SecretFileError(f"{name}_FILE names {path}, which is empty")
    return written
