"""What people write: which characters of it are text, in one line or in several."""

from unicodedata import category

# No-break and narrow spaces, tabs and soft hyphens are ordinary in French text. Refused are orders to a terminal,
# halves of characters, and what changes the direction or the look of its neighbours unseen.
_NO_TEXT = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_TEXT = {"\t", "\u00ad"}


def tidied(text: str) -> str:
    """With one way of ending a line."""
    return text.replace("\r\n", "\n")


def is_text(text: str, *, lines: bool = False) -> bool:
    """Whether it is nothing but text, of several ``lines`` only if that is said."""
    return all(_is_text(character, lines=lines) for character in text)


def printable(text: str, *, lines: bool = False) -> str:
    """The text with a mark in the place of whatever is none."""
    return "".join(item if _is_text(item, lines=lines) else "\ufffd" for item in tidied(text))


def _is_text(character: str, *, lines: bool) -> bool:
    return category(character) not in _NO_TEXT or character in _TEXT or (lines and character == "\n")
