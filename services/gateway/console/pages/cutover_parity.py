"""The part of a former system's page about parity: the newest numbers, the last 90 days, and rehearsal beside it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.console.catalogue import Words
from services.gateway.console.display import Tag, day_of, instant, moment, money, number
from services.gateway.console.mounted import clock
from services.gateway.console.pages.cutover import SYSTEM
from services.gateway.console.pages.cutover_sections import Asked, asked_part
from services.gateway.console.pages.cutover_words import kind_name
from services.gateway.console.session import Person
from services.gateway.console.trend import Line, Reading, line_of

router = APIRouter(include_in_schema=False)

DAYS: Final = 90
_MOST_RUNS: Final = 500
SUBJECTS: Final[Mapping[str, str]] = {"": "mirror", "repetition": "rehearsal"}
"""What is compared, as it stands in an address."""


@dataclass(frozen=True, slots=True)
class Sides:
    """How many, or how much, on either side."""

    label: str
    there: str
    here: str
    is_equal: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison of the past, as a line of a table."""

    at: str
    still_open: str
    accepted: str
    by: str
    source: str


@dataclass(frozen=True, slots=True)
class Trend:
    """Open differences of the last days: a line, the same in a sentence, and every comparison."""

    line: Line
    most: str
    first_day: str
    last_day: str
    label: str
    runs: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class Parity:
    """The newest comparison in numbers, and those before it. ``address`` is where its differences are."""

    at: str
    source: str
    state: Tag
    accepted: int
    counts: tuple[Sides, ...]
    sums: tuple[Sides, ...]
    total: int
    address: str
    trend: Trend | None


@dataclass(frozen=True, slots=True)
class Side:
    """One subject, as it stands beside the other; ``parity`` is None where it was never compared."""

    name: str
    title: str
    parity: Parity | None
    never: str
    command: str


@router.get(f"{SYSTEM}/parite")
async def parity(request: Request, person: Person, cluster: str, service: str) -> Response:
    """Parity and rehearsal beside each other."""
    asked = await asked_part(request, person, cluster, service, "parite")
    subjects = tuple(SUBJECTS.values())
    answers = await asyncio.gather(
        *(asked.get("/parity", {"subject": each, "limit": 1}) for each in subjects),
        *(asked.get("/parity/runs", {"subject": each, "days": DAYS, "limit": _MOST_RUNS}) for each in subjects),
    )
    now = clock(request).now()
    sides: list[Side] = []
    for name, newest, past in zip(SUBJECTS, answers[:2], answers[2:], strict=True):
        is_never = newest.is_problem("never-compared", "never-rehearsed")
        if past.is_refusal or (newest.is_refusal and not is_never):
            return asked.away(past if past.is_refusal else newest)
        shown = None if is_never else parity_of(newest.json, past.json["items"], now, _differences(asked, name), asked)
        sides.append(_side(name, shown, f"{cluster}/{service}", asked.words))
    return asked.shown("cutover/parity.html", sides=sides)


def _differences(asked: Asked, name: str) -> str:
    return f"{asked.system.address}/ecarts" + (f"?sujet={name}" if name else "")


def _side(name: str, shown: Parity | None, system: str, words: Words) -> Side:
    if name:
        never = words.text("Jamais répété : nul ne sait si nous aurions fait de même.")
        return Side("repetition", words.text("Répétition"), shown, never, f"traboule rehearse {system}")
    never = words.text("Jamais comparé avec ce que l’ancien système contient.")
    return Side("miroir", words.text("Miroir"), shown, never, f"traboule parity --as {system} …")


def parity_of(
    answer: Mapping[str, Any], past: Sequence[Mapping[str, Any]], now: datetime, address: str, asked: Asked
) -> Parity:
    """The newest comparison, and the line that the last ones make."""
    words = asked.words
    return Parity(
        at=made_at(answer, words),
        source=", ".join(answer["source"]),
        state=state_of(answer["open"], words),
        accepted=answer["accepted"],
        counts=counts_of(answer["counts"], words),
        sums=sums_of(answer["sums"], words),
        total=answer["open"] + answer["accepted"],
        address=address,
        trend=trend_of(past, answer["open"], now, words),
    )


def made_at(answer: Mapping[str, Any], words: Words) -> str:
    """When it was made, and by whom."""
    at = moment(answer["at"], words.language)
    if answer["subject"] == "rehearsal":
        return words.text("Répété le %(at)s par %(name)s.", at=at, name=answer["by"])
    return words.text("Comparé le %(at)s par %(name)s.", at=at, name=answer["by"])


def state_of(still_open: int, words: Words) -> Tag:
    """How many differences are open, as a tag."""
    if not still_open:
        return Tag("good", words.text("aucun écart ouvert"), words.text("aucun écart ouvert"))
    text = words.plural("%(num)s écart ouvert", "%(num)s écarts ouverts", still_open)
    return Tag("attention", text, text)


def counts_of(counts: Mapping[str, Mapping[str, int]], words: Words) -> tuple[Sides, ...]:
    """How many records there are on either side."""
    return tuple(
        Sides(
            kind_name(kind, words),
            number(sides["there"], words.language),
            number(sides["here"], words.language),
            sides["there"] == sides["here"],
        )
        for kind, sides in counts.items()
    )


def sums_of(sums: Mapping[str, Mapping[str, Mapping[str, str]]], words: Words) -> tuple[Sides, ...]:
    """How much money there is on either side, by year."""
    return tuple(
        Sides(
            f"{kind_name(kind, words)} {year}",
            money(sides["there"], words.language),
            money(sides["here"], words.language),
            sides["there"] == sides["here"],
        )
        for kind, years in sums.items()
        for year, sides in years.items()
    )


def trend_of(past: Sequence[Mapping[str, Any]], open_now: int, now: datetime, words: Words) -> Trend | None:
    """What the last comparisons found, the newest first, and what is open of it now; None where none was made."""
    language = words.language
    since = now - timedelta(days=DAYS)
    readings = [Reading(instant(run["at"]), run["open"]) for run in past]
    if not readings:
        return None
    # What was accepted since then shows at the right edge.
    line = line_of([*readings, Reading(now, open_now)], since, now)
    assert line is not None, "it holds what is open now"
    runs = tuple(
        Compared(
            moment(run["at"], language),
            number(run["open"], language),
            number(run["accepted"], language),
            run["by"],
            ", ".join(run["source"]),
        )
        for run in past
    )
    label = words.text(
        "Écarts ouverts : %(first)s le %(day)s, %(last)s maintenant, au plus %(most)s",
        first=number(line.first.number, language),
        day=day_of(line.first.at, language),
        last=number(open_now, language),
        most=number(line.most, language),
    )
    return Trend(line, number(line.most, language), day_of(since, language), day_of(now, language), label, runs)
