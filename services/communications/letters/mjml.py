"""MJML as HTML by mrml, with what mrml does not look at: a misspelt tag vanishes with all that is in it."""

import re
from functools import lru_cache
from html import unescape
from typing import Final

import mrml

from services.communications.letters.sandbox import TemplateRefusedError

TAGS: Final = frozenset(
    (
        *("mjml", "mj-head", "mj-title", "mj-preview", "mj-attributes", "mj-all", "mj-class", "mj-style", "mj-raw"),
        *("mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column"),
        *("mj-text", "mj-button", "mj-divider", "mj-spacer", "mj-table", "mj-image"),
    )
)
"""Those that a letter may use. None of them reads a file (mj-include), or asks another server (mj-font)."""
_WITH_TEXT: Final = frozenset(("mj-title", "mj-preview", "mj-style", "mj-text", "mj-button", "mj-table"))
"""Text anywhere else comes out between rows of a table, in letters of no size."""
_TAG: Final = re.compile(
    r"<!--.*?-->|<(?P<ends>/?)\s*(?P<name>[A-Za-z][\w-]*)(?:[^<>\"'/]|/(?!>)|\"[^\"]*\"|'[^']*')*(?P<alone>/?)>",
    re.DOTALL,
)
_STATEMENT: Final = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)
_DATA_TABLE: Final = re.compile(r"<table(?![^>]*\brole=)")
_STYLE: Final = re.compile(r"<mj-(style|attributes)\b.*?</mj-\1\s*>", re.DOTALL)


@lru_cache(maxsize=64)
def html_of(source: str) -> str:
    """The HTML, with placeholders where they were. Raises TemplateRefusedError."""
    _check_tags(source)
    try:
        html = str(mrml.to_html(source).content)
    except OSError as error:
        raise TemplateRefusedError(f"it is no MJML: {error}") from None
    _check_texts(source, html)
    # mrml gives mj-table no role, whatever is asked; a screen reader would then read out rows and columns.
    return _DATA_TABLE.sub('<table role="presentation"', html)


def _check_tags(source: str) -> None:
    inside, end = [""], 0
    for match in _TAG.finditer(source):
        _check_place(source[end : match.start()], inside[-1])
        end = match.end()
        name = (match["name"] or "").lower()
        if not name.startswith("mj"):
            continue
        if name not in TAGS:
            raise TemplateRefusedError(f"there is no tag {name[:40]}: there are {', '.join(sorted(TAGS))}")
        if match["ends"]:
            inside.pop()
        elif not match["alone"]:
            inside.append(name)
        if not inside:
            raise TemplateRefusedError(f"it is no MJML: {name} ends, and never began")
    _check_place(source[end:], inside[-1])


def _check_place(text: str, inside: str) -> None:
    if inside not in _WITH_TEXT and _STATEMENT.sub("", text).strip():
        raise TemplateRefusedError(f"a text stands in {inside or 'no tag'}, where none is shown: put it into mj-text")


def _check_texts(source: str, html: str) -> None:
    """Each text of the source must come out."""
    written = _words(unescape(html))
    for text in _TAG.sub("\0", _STATEMENT.sub("\0", _STYLE.sub("", source))).split("\0"):
        if (wanted := _words(unescape(text))) and wanted not in written:
            raise TemplateRefusedError(f"a text of {len(wanted)} letters is lost: it stands where MJML has none")


def _words(text: str) -> str:
    return "".join(text.split())
