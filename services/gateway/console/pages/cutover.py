"""Bascule: where each former system stands, and one of them with what it takes to move it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import Mark, day_of, mark_of
from services.gateway.console.inside import Inside
from services.gateway.console.mounted import marks
from services.gateway.console.pages.cutover_words import (
    MOVES,
    STAGES,
    authority,
    move_name,
    service_name,
    stage_name,
)
from services.gateway.console.sections import Link, Section
from services.gateway.console.session import Person
from services.gateway.console.waiting import waiting_of
from services.gateway.problems import ProblemError

router = APIRouter(include_in_schema=False)

PATH: Final = "/console/bascule"
SYSTEM: Final = f"{PATH}/{{cluster}}/{{service}}"


@dataclass(frozen=True, slots=True)
class Stop:
    """One stage on a track."""

    label: str
    is_past: bool
    is_current: bool


@dataclass(frozen=True, slots=True)
class System:
    """One former system as the board shows it. ``waits`` are late messages and differences, in words."""

    address: str
    service: str
    mark: Mark
    stage: str
    track: tuple[Stop, ...]
    authority: str
    since: str
    waits: tuple[Link, ...]

    @property
    def name(self) -> str:
        """As people call it: ``Facturation de Numelink``."""
        return f"{self.service} · {self.mark.name}"


@dataclass(frozen=True, slots=True)
class OfCluster:
    """The former systems of one cluster."""

    mark: Mark
    systems: tuple[System, ...]


@router.get(PATH)
async def board(request: Request, person: Person) -> Response:
    """Every former system."""
    words = rendering.words_of(request)
    lines, waiting = await asyncio.gather(Inside(request, person).get("/cutover"), waiting_of(request, person))
    groups = clusters_of(lines.value()["items"], waiting["services"] if waiting else (), marks(request), words)
    return rendering.page(request, person, "cutover/board.html", words.text("Bascule"), groups=groups)


@router.get(SYSTEM)
async def system(request: Request, person: Person, cluster: str, service: str, fait: str = "") -> Response:
    """One former system. It comes at once; what its service knows fills itself."""
    words = rendering.words_of(request)
    shown = await system_of(request, person, cluster, service)
    return rendering.page(
        request,
        person,
        "cutover/system.html",
        shown.service,
        system=shown,
        halves=_halves(sections_of(shown, words)),
        moves=moves_of(shown, cluster, person, words),
        above=[Link(PATH, words.text("Bascule"))],
        done=fait,
    )


async def system_of(request: Request, person: Caller, cluster: str, service: str) -> System:
    """One line of the board. Raises ProblemError for a former system that there is not."""
    words = rendering.words_of(request)
    lines = (await Inside(request, person).get("/cutover")).value()["items"]
    for line in lines:
        if (line["cluster"], line["service"]) == (cluster, service):
            return shown_system(line, (), marks(request), words)
    raise ProblemError("former-system-unknown")


def clusters_of(
    lines: Sequence[Mapping[str, Any]],
    waiting: Sequence[Mapping[str, Any]],
    marks: Mapping[str, Mark],
    words: Words,
) -> list[OfCluster]:
    """The board's lines by cluster, in the order of the marks, with what waits for a person."""
    order = {code: number for number, code in enumerate(marks)}
    ordered = sorted(lines, key=lambda line: order.get(line["cluster"], len(order)))
    counts = {(count["cluster"], each["service"]): count for each in waiting for count in each["clusters"]}
    return [
        OfCluster(
            mark_of(cluster, marks),
            tuple(
                shown_system(line, _waits(counts.get((cluster, line["service"])), line, words), marks, words)
                for line in of_cluster
            ),
        )
        for cluster, of_cluster in groupby(ordered, key=lambda line: line["cluster"])
    ]


def _waits(count: Mapping[str, Any] | None, line: Mapping[str, Any], words: Words) -> tuple[Link, ...]:
    if count is None:
        return ()
    address = f"{PATH}/{line['cluster']}/{line['service']}"
    late = words.plural("%(num)s message tardif", "%(num)s messages tardifs", count["late"])
    differences = words.plural("%(num)s écart", "%(num)s écarts", count["differences"])
    links = [(count["late"], Link(f"{address}/tardifs", late))]
    links.append((count["differences"], Link(f"{address}/ecarts", differences)))
    return tuple(link for number, link in links if number)


def shown_system(line: Mapping[str, Any], waits: tuple[Link, ...], marks: Mapping[str, Mark], words: Words) -> System:
    """One line of the board as it is shown."""
    at = STAGES.index(line["stage"])
    since = ""
    if line["since"] is not None:
        since = words.text("depuis le %(day)s, %(name)s", day=day_of(line["since"], words.language), name=line["by"])
    return System(
        address=f"{PATH}/{line['cluster']}/{line['service']}",
        service=service_name(line["service"], words),
        mark=mark_of(line["cluster"], marks),
        stage=line["stage"],
        track=tuple(Stop(stage_name(stage, words), n < at, n == at) for n, stage in enumerate(STAGES)),
        authority=authority(line["stage"], words),
        since=since,
        waits=waits,
    )


def sections_of(system: System, words: Words) -> list[Section]:
    """The parts of its page, in order. For what is retired nothing has to hold any more."""
    made = [
        Section("conditions", conditions_title(system.stage, words), f"{system.address}/conditions"),
        Section("parite", words.text("Parité"), f"{system.address}/parite"),
        Section("tardifs", words.text("Messages tardifs"), f"{system.address}/tardifs"),
        Section("transmis", words.text("Ce qui lui est transmis"), f"{system.address}/transmis"),
        Section("historique", words.text("Historique"), f"{system.address}/historique"),
    ]
    return made[1:] if system.stage == "retired" else made


def _halves(sections: list[Section]) -> list[list[Section]]:
    """What is long at the left, the others beside it."""
    return [sections[:1], sections[1:]]


def conditions_title(stage: str, words: Words) -> str:
    """Of the move that comes next."""
    if stage == "live":
        return words.text("Ce qui doit être rempli pour revenir")
    return words.text("Ce qui doit être rempli pour basculer")


def moves_of(system: System, cluster: str, person: Caller, words: Words) -> list[Link]:
    """What this person can do with it from here."""
    if not person.may("move-systems", cluster):
        return []
    return [Link(f"{system.address}/passer?vers={move}", move_name(move, words)) for move in MOVES[system.stage]]
