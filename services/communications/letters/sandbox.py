"""Templates without any reach: jinja2's sandbox, with values that are text alone.

The sandbox stops names with an underscore in front, and here every call. It stops neither ``'a' * 200000000`` nor a
loop in a loop. So a template that was not shipped with the program is rendered in a process of its own, by
``process.py``.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError, TemplateNotFound, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

Values = Mapping[str, Any]
"""Text, or lists and dicts of such; numbers are written as text before."""

SOURCE_BYTES: Final = 64 * 1024
RESULT_BYTES: Final = 100 * 1024
"""Gmail hides what is above 102 kB, and the link to unsubscribe with it."""
_DEPTH: Final = 6


class TemplateRefusedError(ValueError):
    """This template is not rendered; the message says why, and holds no value."""


class Sandbox(ImmutableSandboxedEnvironment):
    """jinja2's sandbox, in which nothing is called: no method of a value, and no macro."""

    def is_safe_callable(self, obj: object) -> bool:
        """Nothing is."""
        return False


def environment(*, html: bool) -> Sandbox:
    """The sandbox. Values are escaped in HTML, and nowhere else; there is nothing to include."""
    made = Sandbox(
        autoescape=html,
        undefined=StrictUndefined,
        loader=DictLoader({}),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals.clear()
    return made


def rendered(sandbox: Sandbox, source: str, values: Values) -> str:
    """The template with these values. Raises TemplateRefusedError."""
    check_source(source)
    check_values(values)
    try:
        result = _compiled(sandbox, source).render(values)
    except Exception as error:
        raise TemplateRefusedError(_reason(error)) from None
    if (size := len(result.encode())) > RESULT_BYTES:
        raise TemplateRefusedError(f"it comes to {size} bytes, and {RESULT_BYTES} are the most")
    return result


@lru_cache(maxsize=256)
def _compiled(sandbox: Sandbox, source: str) -> Template:
    return sandbox.from_string(source)


def _reason(error: Exception) -> str:
    """Why it is not rendered, without a value: filters raise whatever they like, and quote what they were given."""
    match error:
        case UndefinedError():
            return f"a value is missing: {error.message}"
        case SecurityError():
            return "it reaches for what a template may not have: no name with an underscore in front, and no call"
        case TemplateNotFound():
            return "it includes another template: there is none"
        case TemplateError():
            line = f" in line {lineno}" if (lineno := getattr(error, "lineno", None)) else ""
            return f"it is no template{line} ({type(error).__name__})"
        case _:
            return f"it cannot be rendered ({type(error).__name__})"


def check_source(source: str) -> None:
    """Raises TemplateRefusedError if it is too long."""
    if (size := len(source.encode())) > SOURCE_BYTES:
        raise TemplateRefusedError(f"it has {size} bytes, and {SOURCE_BYTES} are the most")


def check_values(values: object, depth: int = 0) -> None:
    """Raises TemplateRefusedError for whatever has methods that do something."""
    if isinstance(values, str):
        return
    if depth < _DEPTH and isinstance(values, Mapping):
        for name, value in values.items():  # pyright: ignore[reportUnknownVariableType]
            check_values(name, _DEPTH)
            check_values(value, depth + 1)
    elif depth < _DEPTH and isinstance(values, Sequence) and not isinstance(values, bytes | bytearray):
        for value in values:  # pyright: ignore[reportUnknownVariableType]
            check_values(value, depth + 1)
    else:
        raise TemplateRefusedError(f"a value is {type(values).__name__}: write it as text, or as a dict or list of it")
