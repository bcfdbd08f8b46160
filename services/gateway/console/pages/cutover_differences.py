"""Differences with a former system: both sides beside each other, accepted, opened again, given to somebody."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.forms import Typed, headers_of, typed, typed_again
from services.gateway.console.inside import Inside
from services.gateway.console.pages.asked import asked_address
from services.gateway.console.pages.cutover import SYSTEM, system_of
from services.gateway.console.pages.cutover_difference_rows import TICK, Wanted, listed, tabs_of
from services.gateway.console.pages.cutover_parity import SUBJECTS
from services.gateway.console.pages.cutover_sections import above
from services.gateway.console.pages.cutover_words import decides
from services.gateway.console.sections import Section, unanswered
from services.gateway.console.session import Person
from services.gateway.problems import ProblemError
from shared.runtime.text import printable

router = APIRouter(include_in_schema=False)

DIFFERENCES: Final = f"{SYSTEM}/ecarts"
ROWS: Final = 50
_WAYS: Final[Mapping[str, str]] = {
    "accepter": "accept",
    "rouvrir": "take-back",
    "me-confier": "assign",
    "confier": "assign",
    "liberer": "assign",
}
_ID: Final = re.compile(r"[0-9a-f]{4,32}")


def wanted_of(
    sujet: str = "",
    etat: str = "",
    sorte: str = "",
    nature: str = "",
    champ: str = "",
    qui: str = "",
    suite: int = 0,
) -> Wanted:
    """The filters of the address."""
    return Wanted(sujet, etat, sorte, nature, champ, qui, suite)


InAddress = Annotated[Wanted, Depends(wanted_of)]


@router.get(DIFFERENCES)
async def differences(
    request: Request,
    person: Person,
    cluster: str,
    service: str,
    wanted: InAddress,
    cocher: str = "",
    fait: str = "",
    ecarts: str = "",
) -> Response:
    """Those that the address asks for."""
    done = (fait, [name for name in ecarts.split(",") if _ID.fullmatch(name)][:ROWS])
    return await _page(request, person, cluster, service, wanted, Typed(), done=done, all_ticked=cocher == "tout")


@router.post(f"{DIFFERENCES}/{{way}}")
async def decide(request: Request, person: Person, cluster: str, service: str, way: str, wanted: InAddress) -> Response:
    """Decide those that are ticked, all of them or none."""
    if way not in _WAYS:
        raise ProblemError("not-found")
    fields = await typed(request)
    ticked = [name.removeprefix(TICK) for name in fields if name.startswith(TICK)]
    if not ticked:
        return await _page(request, person, cluster, service, wanted, Typed({**fields, "_nothing": "oui"}), status=422)
    body = _body(way, ticked, fields) | {"subject": SUBJECTS.get(wanted.subject, wanted.subject)}
    path = f"/cutover/{cluster}/{service}/parity/{_WAYS[way]}"
    answer = await Inside(request, person).post(path, body, headers_of(fields))
    if answer.is_refusal:
        again = typed_again(request, fields, answer)
        return await _page(request, person, cluster, service, wanted, again, status=answer.status)
    if answer.status == 202:
        return RedirectResponse(asked_address(answer.json["id"]), 303)
    # What was accepted is gone from the list of what is open: a page further on might be empty.
    shown = replace(wanted, after=0) if _WAYS[way] != "assign" else wanted
    query = shown.query(fait=way, ecarts=",".join(answer.json["changed"] or ticked))
    return RedirectResponse(f"/console/bascule/{cluster}/{service}/ecarts{query}", 303)


def _body(way: str, ticked: Sequence[str], fields: Mapping[str, str]) -> dict[str, Any]:
    if _WAYS[way] != "assign":
        return {"differences": ticked, "reason": fields.get("reason", "")}
    owner = {"me-confier": "me", "liberer": None}.get(way, fields.get("a-qui", ""))
    return {"differences": ticked, "owner": owner}


async def _page(
    request: Request,
    person: Caller,
    cluster: str,
    service: str,
    wanted: Wanted,
    form: Typed,
    *,
    status: int = 200,
    done: tuple[str, Sequence[str]] = ("", ()),
    all_ticked: bool = False,
) -> Response:
    words = rendering.words_of(request)
    system = await system_of(request, person, cluster, service)
    address, leading = f"{system.address}/ecarts", above(system, words.text("Bascule"))
    # As it is written where somebody gives them to themselves.
    params = wanted.params(printable(person.name).strip()[:200], ROWS)
    answer = await Inside(request, person).get(f"/cutover/{cluster}/{service}/parity", params)
    is_never = answer.is_problem("never-compared", "never-rehearsed")
    if answer.is_refusal and not is_never:
        section = Section("ecarts", words.text("Écarts"), address + wanted.query())
        return unanswered(request, person, section, system.service, answer, leading)
    with_values = person.may("read-persons")
    return rendering.page(
        request,
        person,
        "cutover/differences.html",
        words.text("Écarts"),
        status=status,
        system=system,
        above=leading,
        address=address,
        wanted=wanted,
        tabs=tabs_of(address, wanted, words),
        all=None
        if is_never
        else listed(answer.json, wanted, form, words, all_ticked=all_ticked, with_values=with_values),
        command=_command(wanted, f"{cluster}/{service}"),
        form=form,
        done=done[0],
        done_ids=done[1],
        may_decide=person.may(decides(service), cluster),
    )


def _command(wanted: Wanted, system: str) -> str:
    return f"traboule rehearse {system}" if wanted.subject else f"traboule parity --as {system} …"
