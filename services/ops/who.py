"""Who decides, and what they say."""

from __future__ import annotations

import getpass

from services.ops.output import refuse


def who(by: str) -> str:
    """Whoever was named, else the operating system's user."""
    if by:
        return said("--by", by, 200)
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def said(option: str, text: str, most: int = 1_000) -> str:
    """What was written, without the spaces around it: one line that can be stored and printed, or the command ends."""
    words = text.strip()
    # A byte of the command line that is not UTF-8 reaches us as a lone surrogate, which is not printable either.
    if not words or len(words) > most or not words.isprintable():
        refuse(f"{option} must be 1 to {most:,} characters on one line")
    return words
