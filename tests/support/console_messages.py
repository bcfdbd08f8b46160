"""Every French text of the console's templates and code."""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract

CONSOLE = Path(__file__).parents[2] / "services" / "gateway" / "console"
TEMPLATES = sorted((CONSOLE / "templates").rglob("*.html"))
_IN_PYTHON = {"text": None, "plural": (1, 2), "message": None, "messages": (1, 2)}
_IN_TEMPLATES = {"_": None, "gettext": None, "ngettext": (1, 2)}


def messages() -> set[str | tuple[str, str]]:
    """By its French text; one with a plural by both of its forms."""
    return {*_extracted("python", sorted(CONSOLE.rglob("*.py")), _IN_PYTHON), *_in_templates()}


def _in_templates() -> Iterator[str | tuple[str, str]]:
    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    return _extracted("jinja2.ext:babel_extract", TEMPLATES, _IN_TEMPLATES, options)


def _extracted(method, paths, keywords, options=None) -> Iterator[str | tuple[str, str]]:
    for path in paths:
        with path.open("rb") as file:
            for _, message, _, _ in extract(method, file, keywords=keywords, options=options or {}):
                yield message if isinstance(message, str) else (message[0], message[1])
