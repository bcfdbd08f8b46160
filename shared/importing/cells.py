"""Cells of a file that people open in a spreadsheet, so that none of them is run as a formula (CWE-1236)."""

import re

# What OWASP lists, full-width signs included. A program that splits at another sign than ours sees more beginnings than
# we wrote: so what follows a comma, a semicolon, a tab or a line break begins a cell too.
_BEGINNING = r"(^|[,;|\t\r\n])"
_FORMULA = "[=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20]"
_RISKY = re.compile(f"{_BEGINNING}(?='*{_FORMULA})")
_QUOTED = re.compile(f"{_BEGINNING}'(?='*{_FORMULA})")


def harmless(text: str) -> str:
    """The text with an apostrophe before whatever a spreadsheet would run. :func:`former` takes it away again.

    An apostrophe that stands there already gets one more, so that each text is written in a way of its own.
    """
    return _RISKY.sub(r"\1'", text)


def former(cell: str) -> str:
    """What was written as this cell."""
    return _QUOTED.sub(r"\1", cell)
