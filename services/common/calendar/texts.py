"""What people wrote, as text that a calendar may hold (RFC 5545, 3.3.11)."""

import re
from unicodedata import category

from icalendar import vText


class Text(vText):
    """A value that is read back as it is. The library's own takes a backslash before an N for a line break."""

    def to_ical(self) -> bytes:
        """Escape the text."""
        return re.sub(r"[\\;,]", r"\\\g<0>", self).replace("\n", r"\n").encode()


def one_line(text: str) -> Text:
    """The text as one line, without control characters."""
    return Text(" ".join(_lines(text).split()))


def lines_of(text: str) -> Text:
    """The text with ``\\n`` between lines, and without other control characters: RFC 5545 forbids them."""
    return Text(_lines(text).strip())


def _lines(text: str) -> str:
    ended = re.sub("\r\n|[\r\u2028\u2029]", "\n", text)
    return "".join(character for character in ended if character in "\t\n" or category(character) not in ("Cc", "Cs"))
