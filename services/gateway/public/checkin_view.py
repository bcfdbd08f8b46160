"""The list of a session as the check-in page shows it: searched, in words, in the order of names. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import combining, normalize

from schemas.events_passes import CheckInList, ListedPerson
from schemas.tickets import code_digest, is_code, plain_code
from services.common.words import clock
from services.membership.translations import Language


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody on the list. ``came`` is since when they are in and what let them in, empty for who is not in yet."""

    attendee_id: str
    name: str
    note: str
    came: str
    expected: bool
    tickets: Sequence[str]

    def for_script(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "id": self.attendee_id, "name": self.name, "note": self.note, "came": self.came,
            "expected": self.expected, "tickets": self.tickets,
        }  # fmt: skip


def rows_of(listed: CheckInList, texts: Mapping[str, str], language: Language) -> list[Row]:
    """Everybody, by name."""
    rows = [_row(person, listed.session.zone, texts, language) for person in listed.people]
    return sorted(rows, key=lambda row: (folded(row.name), row.attendee_id))


def expected(rows: Sequence[Row]) -> list[Row]:
    """Those whom the page lists when nobody searches."""
    return [row for row in rows if row.expected or row.came]


def named(rows: Sequence[Row], words: str) -> list[Row]:
    """Those whose name has each of these words, whatever accents and case."""
    wanted = folded(words).split()
    return [row for row in rows if all(word in folded(row.name) for word in wanted)]


def called(rows: Sequence[Row], name: str) -> list[Row]:
    """Those of exactly this name who are not in yet."""
    wanted = folded(name).split()
    return [row for row in rows if row.expected and not row.came and folded(row.name).split() == wanted]


def with_ticket(rows: Sequence[Row], digest: str) -> Row | None:
    """Whom a ticket of this digest was mailed to."""
    return next((row for row in rows if digest in row.tickets), None)


def ticket_digest(typed: str) -> str | None:
    """The digest of the ticket's code that was typed or scanned, in hexadecimal; None where it is none."""
    return code_digest(code).hex() if is_code(code := plain_code(typed)) else None


def folded(text: str) -> str:
    """Without accents and case, to search by."""
    return "".join(each for each in normalize("NFD", text.casefold()) if not combining(each))


def _row(person: ListedPerson, zone: str, texts: Mapping[str, str], language: Language) -> Row:
    state = "walk-in" if person.walk_in else person.state
    notes = [person.organisation or "", texts.get(f"state_{state}", "")]
    return Row(
        attendee_id=person.attendee_id,
        name=person.name,
        note=" · ".join(filter(None, notes)),
        came=_came(person, zone, language),
        expected=person.expected,
        tickets=person.tickets,
    )


def _came(person: ListedPerson, zone: str, language: Language) -> str:
    if person.attended_at is None:
        return ""
    at = clock(person.attended_at, zone, language)
    return f"{at} ({person.device})" if person.device else at
