"""The parts of a former system's page: each asks its service, and can be asked again by itself."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.inside import Answer, Inside, Params
from services.gateway.console.pages import cutover
from services.gateway.console.pages.cutover import SYSTEM, System, sections_of, system_of
from services.gateway.console.pages.cutover_parts import (
    conditions_of,
    history_of,
    late_of,
    written_back_of,
)
from services.gateway.console.pages.cutover_words import decides
from services.gateway.console.sections import Link, Section, section_response, unanswered
from services.gateway.console.session import Person
from services.gateway.problems import ProblemError

router = APIRouter(include_in_schema=False)

ROWS: Final = 20
OPERATIONS: Final = "/console/exploitation"
STATES: Final = {"": "waiting", "appliques": "applied", "ecartes": "dismissed", "tous": "all"}
_TO_DIFFERENCES: Final = {"parity": "/ecarts", "rehearsal": "/ecarts?sujet=repetition"}


class Asked:
    """One part of one former system, as somebody asks for it."""

    def __init__(self, request: Request, person: Caller, system: System, name: str) -> None:
        self.request, self.person, self.system = request, person, system
        self.words = rendering.words_of(request)
        self.section = _section(system, name, self)
        self.above = above(system, self.words.text("Bascule"))

    async def get(self, below: str, params: Params | None = None) -> Answer:
        """What its service answers."""
        path = self.system.address.removeprefix(cutover.PATH)
        return await Inside(self.request, self.person).get(f"/cutover{path}{below}", params)

    def shown(self, template: str, **values: Any) -> Response:
        """The part."""
        return section_response(
            self.request, self.person, self.section, template, self.above, system=self.system, **values
        )

    def away(self, answer: Answer) -> Response:
        """That nothing was answered. Raises RefusedError where asking again would not help."""
        return unanswered(self.request, self.person, self.section, self.system.service, answer, self.above)


def _section(system: System, name: str, asked: Asked) -> Section:
    for section in sections_of(system, asked.words):
        if section.name == name:
            return section
    # Nothing has to hold for what is retired.
    raise ProblemError("not-found")


def above(system: System, board: str) -> list[Link]:
    """The pages that lead to what is below a former system."""
    return [Link(cutover.PATH, board), Link(system.address, system.name)]


async def asked_part(request: Request, person: Caller, cluster: str, service: str, name: str) -> Asked:
    """One part of a former system. Raises ProblemError where there is no such one."""
    return Asked(request, person, await system_of(request, person, cluster, service), name)


@router.get(f"{SYSTEM}/conditions")
async def conditions(request: Request, person: Person, cluster: str, service: str) -> Response:
    """What must hold before the move that comes next."""
    asked = await asked_part(request, person, cluster, service, "conditions")
    answer = await asked.get("/conditions", {"for": "rollback" if asked.system.stage == "live" else "switch"})
    if answer.is_refusal:
        return asked.away(answer)
    return asked.shown(
        "cutover/conditions.html",
        conditions=conditions_of(answer.json, _ways(asked, cluster, service, answer.json), asked.words),
    )


def _open_differences(answer: Mapping[str, Any]) -> list[str]:
    """Conditions that fail for differences, and not because nothing was compared, or too long ago."""
    failing = [item for item in answer["conditions"] if item["name"] in _TO_DIFFERENCES and not item["holds"]]
    return [item["name"] for item in failing if "traboule differences" in (item["remedy"] or "")]


def _ways(asked: Asked, cluster: str, service: str, answer: Mapping[str, Any]) -> dict[str, str]:
    """Pages that mend conditions, which this person may use."""
    address, person = asked.system.address, asked.person
    ways = {"quarantine": f"{address}/tardifs"}
    if person.may(decides(service), cluster):
        ways |= {name: address + _TO_DIFFERENCES[name] for name in _open_differences(answer)}
    if asked.system.stage == "legacy" and person.may("move-systems", cluster):
        ways["mirror"] = f"{address}/passer?vers=mirror"
    if person.may("note-backup") and person.may("see-operations"):
        ways["backup"] = f"{OPERATIONS}#sauvegarde"
    if person.may("see-operations"):
        ways |= dict.fromkeys(("dead-letters", "queues", "outbox"), f"{OPERATIONS}/{service}")
    return ways


@router.get(f"{SYSTEM}/tardifs")
async def late(
    request: Request, person: Person, cluster: str, service: str, etat: str = "", suite: int = 0
) -> Response:
    """What it said too late."""
    asked = await asked_part(request, person, cluster, service, "tardifs")
    answer = await asked.get("/quarantine", {"state": STATES.get(etat, "waiting"), "limit": ROWS, "after": suite})
    if answer.is_refusal:
        return asked.away(answer)
    address = asked.section.address if person.may("read-persons") else None
    rows = late_of(answer.json["items"], address, asked.words)
    return asked.shown("cutover/late.html", rows=rows, following=answer.json["next"], state=etat)


@router.get(f"{SYSTEM}/transmis")
async def written_back(request: Request, person: Person, cluster: str, service: str, suite: str = "") -> Response:
    """What was written here, and is told to it."""
    asked = await asked_part(request, person, cluster, service, "transmis")
    answer = await asked.get("/write-back", {"limit": ROWS, "after": suite})
    if answer.is_problem("no-write-back"):
        return asked.shown("cutover/written_back.html", back=None)
    if answer.is_refusal:
        return asked.away(answer)
    return asked.shown("cutover/written_back.html", back=written_back_of(answer.json, asked.words))


@router.get(f"{SYSTEM}/historique")
async def history(request: Request, person: Person, cluster: str, service: str) -> Response:
    """Every move of it."""
    asked = await asked_part(request, person, cluster, service, "historique")
    answer = await asked.get("/history")
    if answer.is_refusal:
        return asked.away(answer)
    return asked.shown("cutover/history.html", moves=history_of(answer.json, asked.words))
