"""The letters that are shipped: ``templates/KIND/LANGUAGE.{subject,mjml,txt}.jinja`` inside one layout.

They are rendered in the service itself: their text is ours, values are never read as a template, and loops run over
what is passed alone, which facts bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from services.common.words import Language
from services.communications.brands.brand import Brand
from services.communications.deliveries.message import Attachment, Letter
from services.communications.letters.mjml import html_of
from services.communications.letters.sandbox import Values, environment, rendered

_FOLDER: Final = Path(__file__).with_name("templates")
_PREVIEW_ENDS: Final = "</mj-preview>"
_LETTER: Final = "<!-- letter -->"
_PREVIEW: Final = "<!-- preview -->"
_SPACES: Final = "\u00a0\u202f"
_HTML: Final = environment(html=True)
_TEXT: Final = environment(html=False)
KINDS: Final = tuple(sorted(path.name for path in _FOLDER.iterdir() if path.is_dir()))


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of letter in one language. ``html`` was MJML, and still has its placeholders."""

    subject: str
    text: str
    html: str


def letter_of(
    kind: str, language: Language, brand: Brand, values: Values, attachments: Sequence[Attachment] = ()
) -> Letter:
    """The letter, rendered. Raises TemplateRefusedError for a value that is missing or is no text."""
    template = template_of(kind, language)
    words = {
        **values,
        "language": language,
        "brand": {"name": brand.name, "postal_address": brand.postal_address or ""},
    }
    subject = on_one_line(rendered(_TEXT, template.subject, words))
    words["subject"] = subject
    return Letter(subject, rendered(_TEXT, template.text, words), rendered(_HTML, template.html, words), attachments)


def on_one_line(text: str) -> str:
    """Without line breaks, which would begin another header (RFC 5322)."""
    shown = "".join(c if c.isprintable() or c in _SPACES else " " for c in text)
    return " ".join(word for word in shown.split(" ") if word)


@lru_cache(maxsize=64)
def template_of(kind: str, language: Language) -> Template:
    """From its files, compiled once. Raises TemplateRefusedError."""
    preview, _, body = _read(kind, f"{language}.mjml").partition(_PREVIEW_ENDS)
    layout = (_FOLDER / "layout.mjml.jinja").read_text("utf-8")
    source = layout.replace(_PREVIEW, preview + _PREVIEW_ENDS).replace(_LETTER, body)
    ending = (_FOLDER / f"layout.{language}.txt.jinja").read_text("utf-8")
    return Template(_read(kind, f"{language}.subject"), _read(kind, f"{language}.txt") + ending, html_of(source))


def _read(kind: str, name: str) -> str:
    return (_FOLDER / kind / f"{name}.jinja").read_text("utf-8")
