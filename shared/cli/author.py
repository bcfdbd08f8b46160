"""Who decides, and what they say."""

from __future__ import annotations

import getpass

from shared.cli.terminal import refuse
from shared.runtime.text import is_text, tidied


def who(by: str) -> str:
    """Whoever was named, else the operating system's user."""
    if by:
        return required_text("--by", by, 200)
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def required_text(option: str, text: str, most: int = 1_000) -> str:
    """What was written, without the spaces around it: one line that can be stored and printed, or the command ends."""
    words = tidied(text).strip()
    # A byte of the command line that is not UTF-8 reaches us as a lone surrogate, which is no text either.
    if not words or len(words) > most or not is_text(words):
        refuse(f"{option} must be 1 to {most:,} characters on one line")
    return words
