"""Chronologie of one member: what happened, newest first, all of it or one kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from services.gateway.console.catalogue import Words, typeset
from services.gateway.console.display import Mark, clock_time, cluster_of, day_of, mark_of, short_day
from services.gateway.console.pages.member_fields import labels

ENTRIES: Final = 20
_COLON: Final = {"fr": " : ", "en": ": "}
KINDS: Final = {"cotisations": "dues", "inscriptions": "registrations", "courriels": "mails", "fiches": "records"}
"""What the timeline may be narrowed to: as it stands in the address, and as the API calls it."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry; ``moment`` is what machines read."""

    day: str
    time: str | None
    moment: str
    what: str
    mark: Mark
    record: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to narrow the timeline."""

    label: str
    address: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the section shows; ``following`` is where the next entries are."""

    entries: tuple[Happening, ...]
    kinds: tuple[Kind, ...]
    following: str | None
    is_continued: bool


def timeline_of(
    page: Mapping[str, Any],
    path: str,
    kind: str,
    marks: Mapping[str, Mark],
    words: Words,
    *,
    is_continued: bool = False,
) -> Timeline:
    """A page of the API's timeline as it is shown below an address; ``kind`` is a key of KINDS, or empty."""
    named = {
        "": words.text("Tout"),
        "cotisations": words.text("Cotisations"),
        "inscriptions": words.text("Inscriptions"),
        "courriels": words.text("Courriels"),
        "fiches": words.text("Fiches"),
    }
    return Timeline(
        entries=tuple(_happening(item, marks, words) for item in page["items"]),
        kinds=tuple(Kind(label, _address(path, sorte=value), value == kind) for value, label in named.items()),
        following=_address(path, sorte=kind, suite=page["next"]) if page["next"] else None,
        is_continued=is_continued,
    )


def _address(path: str, **asked: str) -> str:
    kept = urlencode({name: value for name, value in asked.items() if value})
    return f"{path}?{kept}#chronologie" if kept else f"{path}#chronologie"


def _happening(item: Mapping[str, Any], marks: Mapping[str, Mark], words: Words) -> Happening:
    at = item.get("at")
    moment = at or item["on"]
    return Happening(
        day=day_of(at, words.language) if at else short_day(item["on"], words.language),
        time=clock_time(at, words.language) if at else None,
        moment=moment,
        what=typeset(_what(item, words), words.language),
        mark=mark_of(cluster_of(item["from"]), marks),
        record=item["from"],
    )


def _what(item: Mapping[str, Any], words: Words) -> str:
    fields: Sequence[str] = item.get("fields") or ()
    if not fields:
        return item["what"]
    # The API names fields as it calls them.
    known = labels(words)
    names: dict[str, None] = dict.fromkeys(known.get(_shown_with(field), field) for field in fields)
    return f"{item['what'].partition(':')[0].rstrip()}{_COLON[words.language]}{', '.join(names)}"


def _shown_with(field: str) -> str:
    return "contact" if field.startswith("contact_") else field
