"""From the bytes of a file to its text: which encoding, and what makes one doubt it.

Order: byte order mark, strict UTF-8, Windows-1252. Statistical guessing was tried on French files and is worse: it
takes Windows-1252 for mac_latin2 and ISO-8859-15 for cp1250. The price: a file in another one-byte code page (cp1250,
cp850…) decodes without an error. Nothing in its bytes tells, so the encoding is always reported, and
letters that do not occur in French words make a warning.
"""

import codecs
import contextlib
import re
from typing import NamedTuple

from shared.importing.outcomes import UnreadableError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with the mark of UTF-16, so it is tried first
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FALLBACK = "cp1252"
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_DAMAGED = re.compile("[\udc80-\udcff]")

# Each begins with the sign that it is about, for files are long and such signs are few.
_TWICE = re.compile(r"[ÃÂ][\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€[™œ“”¦]")
_CENTRAL = re.compile(r"[³¹¿¯£¾¼øìòõðþ](?:(?<=[A-Za-zÀ-ÿ].)|(?=[a-zà-ÿ]))")
_DOS = re.compile(r"[‚ƒ„…†‡ˆ‰Š‹Ž](?<=[a-z].)(?=[a-z])")
_LOST = re.compile(r"\?(?:(?<=\b[lLdDnNsSjJcCmM]\?)|(?<=\b[qQ]u\?))(?=[A-Za-zÀ-ÿ])")


class Text(NamedTuple):
    """A file's text; characters from bytes that its encoding does not have are lone surrogates (U+DC80…U+DCFF).

    ``assumed``: nothing in the file proves the encoding, any other one-byte code page would fit as well.
    """

    text: str
    encoding: str
    warnings: tuple[str, ...]
    assumed: bool = False


def decode(content: bytes, encoding: str | None = None) -> Text:
    """The text of ``content``, and the encoding it was read in: ``encoding`` when given, else the first that fits.

    A file of which most accented letters are right UTF-8 is a UTF-8 file with a few damaged rows, not a Windows-1252
    file: it is read as UTF-8, and the reader sets the damaged rows aside.

    Raises:
        UnreadableError: the encoding is unknown, or the bytes cannot be in it.
    """
    if encoding is not None:
        return _as_told(content, encoding)
    for mark, name in _MARKS:
        if content.startswith(mark):
            return _as_told(content, name)
    with contextlib.suppress(UnicodeDecodeError):
        text = content.decode()
        _refuse_utf_16(content)
        return Text(text, "utf-8", tuple(_doubts(text, "utf-8")))
    text = content.decode("utf-8", "surrogateescape")
    damaged = len(_DAMAGED.findall(text))
    whole = len(text) - len(text.encode("ascii", "ignore")) - damaged
    if whole > damaged:
        warning = f"{damaged} bytes are not UTF-8 though the rest of the file is: their rows are set aside"
        return Text(text, "utf-8", (warning, *_doubts(text, "utf-8")))
    _refuse_undefined(content)
    text = content.decode(_FALLBACK)
    return Text(text, _FALLBACK, tuple(_doubts(text, _FALLBACK)), assumed=True)


def _as_told(content: bytes, encoding: str) -> Text:
    try:
        text = content.decode(encoding)
    except LookupError:
        raise UnreadableError(f'"{encoding}" is no encoding that Python knows; try utf-8, cp1252 or cp1250') from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise UnreadableError(f"line {line} holds the byte 0x{byte:02X}, which does not exist in {encoding}") from None
    return Text(text.removeprefix("\ufeff"), encoding.removesuffix("-sig"), tuple(_doubts(text, encoding)))


def _refuse_undefined(content: bytes) -> None:
    # Five bytes have no character in Windows-1252; one of them proves that every other letter would be a guess too.
    if match := _UNDEFINED.search(content):
        line, byte = content.count(b"\n", 0, match.start()) + 1, content[match.start()]
        raise UnreadableError(
            f"the file is neither UTF-8 nor Windows-1252 (line {line} holds the byte 0x{byte:02X}): "
            "name its encoding, such as --encoding cp1250 or --encoding cp850"
        )


def _refuse_utf_16(content: bytes) -> None:
    if content[:400].count(0) > len(content[:400]) // 4:
        raise UnreadableError("the file looks like UTF-16 without its mark: try --encoding utf-16-le")


def _doubts(text: str, encoding: str) -> list[str]:
    """What a person should look at before believing the letters, each with the first example."""
    if text.isascii():
        return []
    checks = [(_TWICE, "text that was encoded twice (UTF-8 read as Latin-1 by the system that exported it)")]
    if not encoding.startswith("utf"):
        checks += [
            (_CENTRAL, "letters that French does not use: is it another code page, such as --encoding cp1250?"),
            (_DOS, "signs inside words: is it a DOS or Macintosh file, such as --encoding cp850 or mac_roman?"),
        ]
    doubts: list[str] = []
    for pattern, meaning in checks:
        match = pattern.search(text)
        if match:
            doubts.append(
                f"read as {encoding}, line {_line(text, match.start())} shows {meaning}: {_around(text, match)}"
            )
    lost = _LOST.search(text)
    if lost:
        doubts.append(
            f'line {_line(text, lost.start())} has "?" in place of an apostrophe: {_around(text, lost)}; '
            "the system that exported the file lost it, export again in UTF-8"
        )
    return doubts


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _around(text: str, match: re.Match[str]) -> str:
    return repr(text[max(0, match.start() - 12) : match.end() + 12].replace("\n", " ").replace("\r", ""))
