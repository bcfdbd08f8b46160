"""Page cursors: opaque to callers, a position in the order to us."""

import base64
import binascii
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any
from uuid import UUID

import orjson

from services.gateway.problems import ProblemError
from services.membership.identity.queries import Moment
from services.membership.views.lists import Position, Sort

LARGEST = 2**63 - 1
"""Of a bigint."""


def cursor(*parts: str) -> str:
    """A position as text for a URL."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def cursor_in_list(position: Position) -> str:
    """A place in a list of members as text for a URL."""
    lead = () if position.lead is None else (position.lead.isoformat(),)
    return cursor(position.sort_key, position.member_id, *lead)


def position_in_list(text: str | None, sort: Sort = "name") -> Position | None:
    """Back again, in the same order. Raises ProblemError."""
    if text is None:
        return None
    sort_key, member_id, *lead = _parts(text, 2 if sort == "name" else 3)
    try:
        known = str(UUID(member_id))
        match sort:
            case "name":
                return Position(sort_key, known)
            case "paid_until":
                return Position(sort_key, known, date.fromisoformat(lead[0]))
            case "changed":
                return Position(sort_key, known, _moment(lead[0]))
    except ValueError:
        raise ProblemError("cursor-unreadable") from None


def position_in_time(text: str | None) -> tuple[datetime, str] | None:
    """Back again: an instant, and what comes after others of the same instant. Raises ProblemError."""
    if text is None:
        return None
    at, rank = _parts(text)
    return _moment(at), rank


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ProblemError("cursor-unreadable")
        # Of year 1 or 9999 it may be one that UTC, and so the database, has no name for.
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ProblemError("cursor-unreadable") from None


def position_in_queue(text: str | None) -> tuple[float, str] | None:
    """Back again: gain and id of a case. Raises ProblemError."""
    if text is None:
        return None
    gain, case_id = _parts(text)
    try:
        result = float(gain)
    except ValueError:
        raise ProblemError("cursor-unreadable") from None
    if not isfinite(result):
        raise ProblemError("cursor-unreadable")
    return result, case_id


def position_in_numbers(text: str | None) -> int | None:
    """Back again: a number. Raises ProblemError."""
    return None if text is None else number_in(_parts(text)[0])


def position_in_turns(text: str | None) -> Moment | None:
    """Back again: an instant, a rank and a number. Raises ProblemError."""
    result = position_in_time(text)
    if result is None:
        return None
    at, rest = result
    rank, _, number = rest.partition(":")
    return Moment(at, min(number_in(rank), 9), number_in(number))


def number_in(text: str) -> int:
    """A number that the database can hold. Raises ProblemError."""
    # Looked at before it is made: of very many digits int() raises.
    if not (text.isascii() and text.isdecimal() and len(text) <= 19) or int(text) > LARGEST:
        raise ProblemError("cursor-unreadable")
    return int(text)


def _parts(text: str, length: int = 2) -> list[str]:
    try:
        parts: Any = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise ProblemError("cursor-unreadable") from None
    if not isinstance(parts, list) or len(parts) != length:
        raise ProblemError("cursor-unreadable")
    if not all(isinstance(part, str) and "\x00" not in part for part in parts):
        raise ProblemError("cursor-unreadable")
    return parts
