"""Forms of pages: what was typed, a key that makes a form count once, and what the API refused of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any, Final

from fastapi import Request

from services.gateway.bodies import read_body
from services.gateway.console import rendering
from services.gateway.console.errors import MOST_FIELDS, Refusal, refusal
from services.gateway.console.inside import Answer
from services.gateway.problems import ProblemError
from services.gateway.public.forms import read_fields

LONGEST: Final = 65_536
KEY: Final = "_key"
"""Name of the hidden field: a form that is sent twice is done once."""
_WHOLE: Final = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form holds. ``refusal`` is there when it was sent, and why nothing came of it."""

    values: Mapping[str, str] = field(default_factory=dict[str, str])
    refusal: Refusal | None = None
    key: str = field(default_factory=lambda: token_urlsafe(16))

    def value(self, name: str, otherwise: str = "") -> str:
        """What stands in a field."""
        return self.values.get(name, otherwise)


async def typed(request: Request, longest: int = LONGEST) -> Mapping[str, str]:
    """The fields of the form that was sent. Raises ProblemError for more than ``longest`` bytes, or 300 fields."""
    body = await read_body(request, longest)
    try:
        return read_fields(body, MOST_FIELDS)
    except ValueError:
        # Without its fields it would be another form, such as one in which nothing is ticked.
        raise ProblemError("form-unreadable") from None


def headers_of(fields: Mapping[str, str]) -> dict[str, str]:
    """What tells the API that a form was sent before."""
    return {"idempotency-key": fields[KEY]} if fields.get(KEY) else {}


def whole_number(text: str) -> int | None:
    """A number that was typed, of no more digits than a database keeps; None for all else."""
    return int(text) if _WHOLE.fullmatch(text) else None


def typed_again(request: Request, fields: Mapping[str, str], answer: Answer) -> Typed:
    """The form as it was sent, with what the API refused; it can be mended and sent again, as another request.

    Where the API failed nobody knows whether it was done: sent once more it is the same request.
    """
    problem: Mapping[str, Any] = answer.json or {}
    shown = refusal(answer.status, problem, rendering.words_of(request))
    if answer.status >= 500 and fields.get(KEY):
        return Typed(fields, shown, fields[KEY])
    return Typed(fields, shown)
