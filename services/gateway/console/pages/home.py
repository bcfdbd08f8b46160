"""Accueil: what waits for a person, and that nothing burns. Each number is the length of the list that it leads to."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from schemas.dead_letters import SERVICES
from schemas.rights import Right
from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import Mark, marks_for, number
from services.gateway.console.inside import Inside
from services.gateway.console.mounted import marks
from services.gateway.console.navigation import path_for
from services.gateway.console.pages.cutover_words import STAGES, service_name, stage_name
from services.gateway.console.session import Person
from services.gateway.console.shouting import member_name
from services.gateway.console.waiting import waiting_of

router = APIRouter(include_in_schema=False)

CASES: Final = 5


@dataclass(frozen=True, slots=True)
class WaitingList:
    """One list, and how much of it waits. ``address`` is None while it has no page."""

    address: str | None
    label: str
    count: str
    sentence: str
    is_quiet: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two members that may be one company."""

    address: str | None
    names: tuple[str, ...]
    marks: tuple[Mark, ...]
    percent: int


@dataclass(frozen=True, slots=True)
class Step:
    """Where one former system stands: ``position`` of ``STAGES``, from 1."""

    service: str
    stage: str
    position: int
    steps: int
    address: str | None


@dataclass(frozen=True, slots=True)
class Moving:
    """The former systems of one cluster."""

    mark: Mark
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the whole."""

    count: str
    label: str
    address: str


@dataclass(frozen=True, slots=True)
class Home:
    """What the page shows; what somebody may not see is empty."""

    lists: tuple[WaitingList, ...]
    nothing_waits: bool
    suggestions: tuple[Suggestion, ...]
    moving: tuple[Moving, ...]
    figures: tuple[Figure, ...]


@router.get("/console")
async def home(request: Request, person: Person) -> Response:
    """The first page: one question of each kind to our own database, none to another service."""
    inside, words = Inside(request, person), rendering.words_of(request)
    waiting, cases, board, statistics = await asyncio.gather(
        waiting_of(request, person),
        _asked(inside, person, "read-persons", "/duplicates", limit=CASES),
        _asked(inside, person, "see-cutover", "/cutover"),
        _asked(inside, person, "read-members", "/statistics"),
    )
    lists = () if waiting is None else lists_of(waiting, person, words)
    shown = Home(
        lists=lists,
        nothing_waits=all(each.is_quiet for each in lists),
        suggestions=() if cases is None else suggestions_of(cases["items"], person, marks(request), words),
        moving=() if board is None else moving_of(board["items"], person, marks(request), words),
        figures=() if statistics is None else figures_of(statistics, words),
    )
    title = words.text("Bonjour %(name)s", name=person.name)
    return rendering.page(request, person, "home/page.html", title, home=shown)


async def _asked(inside: Inside, person: Caller, right: Right, path: str, **params: int) -> Any:
    """What the API answers; None for somebody who may not ask."""
    return (await inside.get(path, params)).value() if person.may(right) else None


def lists_of(waiting: Mapping[str, Any], person: Caller, words: Words) -> tuple[WaitingList, ...]:
    """The lists that somebody may work on, with what waits in each."""
    services: Sequence[Mapping[str, Any]] = waiting["services"]
    kinds: tuple[tuple[Right, str, str, int, str], ...] = (
        *(
            ("read-persons", "/console/doublons", words.text("Doublons"), waiting["duplicates"]["open"], _asks(words)),
            ("see-conflicts", "/console/conflits", words.text("Conflits"), waiting["conflicts"]["open"], _paid(words)),
        ),
        *(
            ("see-cutover", "/console/bascule", words.text("Messages tardifs"), _sum(services, "late"), _late(words)),
            ("see-cutover", "/console/bascule", words.text("Écarts"), _sum(services, "differences"), _differs(words)),
        ),
        (
            "see-operations",
            "/console/exploitation",
            words.text("Mis de côté"),
            _sum(services, "parked"),
            _parked(words),
        ),
    )
    return tuple(
        WaitingList(path_for(person, path), label, number(count, words.language), sentence, count == 0)
        for right, path, label, count, sentence in kinds
        if person.may(right)
    )


def _sum(services: Sequence[Mapping[str, Any]], name: str) -> int:
    return sum(service[name] for service in services)


def _asks(words: Words) -> str:
    return words.text("questions : une entreprise ou deux ?")


def _paid(words: Words) -> str:
    return words.text("payé ou inscrit deux fois")


def _late(words: Words) -> str:
    return words.text("dits après la bascule, à trancher")


def _differs(words: Words) -> str:
    return words.text("entre un ancien système et nous")


def _parked(words: Words) -> str:
    return words.text("messages qui n’ont pu être appliqués")


def suggestions_of(
    cases: Sequence[Mapping[str, Any]], person: Caller, marks: Mapping[str, Mark], words: Words
) -> tuple[Suggestion, ...]:
    """The questions that gain most."""
    listed = path_for(person, "/console/doublons")
    return tuple(
        Suggestion(
            address=f"{listed}/{case['id']}" if listed else None,
            names=tuple(member_name(member["name"], words) for member in case["members"]),
            marks=marks_for([code for member in case["members"] for code in member["clusters"]], marks),
            percent=round(case["probability"] * 100),
        )
        for case in cases
    )


def moving_of(
    board: Sequence[Mapping[str, Any]], person: Caller, marks: Mapping[str, Mark], words: Words
) -> tuple[Moving, ...]:
    """Each cluster's former systems, in the order in which one reads them."""
    listed = path_for(person, "/console/bascule")
    result: list[Moving] = []
    for code, mark in marks.items():
        own = {item["service"]: item["stage"] for item in board if item["cluster"] == code}
        steps = tuple(
            Step(
                service=service_name(service, words),
                stage=stage_name(own[service], words),
                position=STAGES.index(own[service]) + 1,
                steps=len(STAGES),
                address=f"{listed}/{code}/{service}" if listed else None,
            )
            for service in SERVICES
            if service in own
        )
        if steps:
            result.append(Moving(mark, steps))
    return tuple(result)


def figures_of(statistics: Mapping[str, Any], words: Words) -> tuple[Figure, ...]:
    """How many there are in truth, each counted once."""
    total, both = statistics["total"], statistics["in_several_clusters"]
    return (
        Figure(number(total["members"], words.language), words.text("membres"), "/console/membres"),
        Figure(number(total["active"], words.language), words.text("en cours"), "/console/membres?adhesion=en-cours"),
        Figure(number(total["paid_up"], words.language), words.text("à jour"), "/console/membres?cotisation=a-jour"),
        Figure(number(both["members"], words.language), words.text("dans plusieurs clusters"), ""),
    )
