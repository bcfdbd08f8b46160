"""The form by which people register at a public page: what was typed, and what is wrong with it. Pure.

Nothing that was typed is lost: with an error the page shows all of it again, and the error at its field.
"""

import re
import secrets
from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

from pydantic import TypeAdapter, ValidationError

from schemas.event_requests import MOST_PEOPLE, FormKey, PersonAsked
from schemas.events_operations import Email, PersonName

MOST_FIELDS: Final = 60
Fault = Literal["form", "missing", "name", "name-missing", "address", "twice", "too-many", "nobody"]
"""What is wrong with a field: a key of the page's texts, after ``error_``."""
_NAMED: Final = re.compile(r"^name([1-9][0-9]?)$")
_KEY: Final[TypeAdapter[str]] = TypeAdapter(FormKey)
_NAME: Final[TypeAdapter[str]] = TypeAdapter(PersonName)
_EMAIL: Final[TypeAdapter[str]] = TypeAdapter(Email)


@dataclass(frozen=True, slots=True)
class Row:
    """One person's line, as typed."""

    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed. ``faults`` has what is wrong, by the name of the field; then nothing is asked for."""

    key: str
    rows: tuple[Row, ...] = (Row(),) * MOST_PEOPLE
    email: str = ""
    fewer: bool = False
    faults: Mapping[str, Fault] = field(default_factory=dict[str, Fault])

    @property
    def people(self) -> tuple[PersonAsked, ...]:
        """Who is to come. Only where there is no fault."""
        return tuple(PersonAsked(name=row.name, email=row.email or None) for row in self.rows if row.name)


def new_key() -> str:
    """A form's own key, which nobody can guess."""
    return b32encode(secrets.token_bytes(17)).decode().lower()[:26]


def fields_of(body: bytes, most: int = MOST_FIELDS) -> dict[str, str]:
    """The fields of a form (application/x-www-form-urlencoded). What is no such form, or has more, has none."""
    try:
        return read_fields(body, most)
    except ValueError:
        return {}


def read_fields(body: bytes, most: int) -> dict[str, str]:
    """The same. Raises ValueError for what is no such form, or has more fields than these."""
    pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=most)
    # A browser sends each once; of several the first counts.
    return dict(reversed(pairs))


def registration_form(typed: Mapping[str, str]) -> Form:
    """What was typed, looked at."""
    rows = tuple(
        Row(typed.get(f"name{n}", "").strip(" "), typed.get(f"email{n}", "").strip()) for n in range(1, MOST_PEOPLE + 1)
    )
    key, email = typed.get("form", ""), typed.get("email", "").strip()
    faults: dict[str, Fault] = {}
    if not _is(_KEY, key):
        key, faults["form"] = new_key(), "form"
    if not _is(_EMAIL, email):
        faults["email"] = "address" if email else "missing"
    for number, row in enumerate(rows, start=1):
        faults |= _faults_of(number, row)
    faults |= _twice(rows, email)
    if not any(row.name or row.email for row in rows):
        faults["name1"] = "nobody"
    if any(_is_beyond(name) and value.strip() for name, value in typed.items()):
        faults["form"] = "too-many"
    return Form(key, rows, email, typed.get("fewer") == "yes", faults)


def _faults_of(number: int, row: Row) -> dict[str, Fault]:
    faults: dict[str, Fault] = {}
    if row.email and not row.name:
        faults[f"name{number}"] = "name-missing"
    if row.name and not _is(_NAME, row.name):
        faults[f"name{number}"] = "name"
    if row.email and not _is(_EMAIL, row.email):
        faults[f"email{number}"] = "address"
    return faults


def _twice(rows: Sequence[Row], email: str) -> dict[str, Fault]:
    """Where somebody stands a second time, by name and address: events would refuse all of them."""
    faults: dict[str, Fault] = {}
    known: set[tuple[str, str]] = set()
    for number, row in enumerate(rows, start=1):
        who = (" ".join(row.name.casefold().split()), (row.email or email).casefold())
        if row.name and who in known:
            faults[f"name{number}"] = "twice"
        known.add(who)
    return faults


def _is_beyond(name: str) -> bool:
    named = _NAMED.match(name)
    return named is not None and int(named[1]) > MOST_PEOPLE


def _is(adapter: TypeAdapter[Any], text: str) -> bool:
    try:
        adapter.validate_python(text)
    except ValidationError:
        return False
    return True
