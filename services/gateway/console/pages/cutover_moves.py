"""Moving a former system: a page that says what will happen, and asks why; then one that shows what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.forms import Typed, headers_of, typed, typed_again
from services.gateway.console.inside import Answer, Inside
from services.gateway.console.pages import cutover
from services.gateway.console.pages.asked import ASYNC, asked_address
from services.gateway.console.pages.cutover import SYSTEM, System, system_of
from services.gateway.console.pages.cutover_parts import Condition, conditions_of
from services.gateway.console.pages.cutover_sections import above
from services.gateway.console.pages.cutover_words import GATED, LEADS_TO, MOVES, condition_name, move_meaning, move_name
from services.gateway.console.session import SIGN_IN, Person
from services.gateway.problems import ProblemError

router = APIRouter(include_in_schema=False)

MOVE: Final = f"{SYSTEM}/passer"
_OVERRULE, _WHY = "malgre-", "raison-"
"""How the fields of a condition's tick box and of its reason begin."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """A condition that fails, as the form shows it."""

    condition: Condition
    is_ticked: bool
    why: str
    is_why_missing: bool


@dataclass(frozen=True, slots=True)
class Move:
    """What the page of a move shows. ``conditions`` is None where they could not be asked for."""

    move: str
    name: str
    meaning: str
    is_possible: bool
    is_made: bool
    unmet: tuple[Unmet, ...] | None
    confirm: str
    address: str
    sign_in: str
    is_fresh: bool


@router.get(MOVE)
async def confirm(request: Request, person: Person, cluster: str, service: str, vers: str = "") -> Response:
    """What a move will do, and a form to do it."""
    return await _page(request, person, cluster, service, vers, Typed())


@router.post(MOVE)
async def move(request: Request, person: Person, cluster: str, service: str, vers: str = "") -> Response:
    """Ask its service for a move. What comes of it is a page of its own."""
    fields = await typed(request)
    named = _ticked(fields)
    if any(not fields.get(_WHY + name, "").strip() for name in named):
        return await _page(request, person, cluster, service, vers, Typed(fields), status=422)
    body: dict[str, Any] = {"move": vers, "reason": reason_of(fields, rendering.words_of(request))}
    if named:
        body["overrule"] = named
    if vers == "retire":
        body["confirm"] = fields.get("confirm", "").strip()
    inside = Inside(request, person)
    answer = await inside.post(f"/cutover/{cluster}/{service}/moves", body, headers_of(fields) | ASYNC)
    if answer.is_refusal:
        again = typed_again(request, fields, answer)
        return await _page(request, person, cluster, service, vers, again, status=answer.status, answer=answer)
    if "location" not in answer.json:
        # It was asked before, by the same form.
        return RedirectResponse(f"{cutover.PATH}/{cluster}/{service}", 303)
    return RedirectResponse(asked_address(answer.json["id"]), 303)


def _ticked(fields: Mapping[str, str]) -> list[str]:
    return [name.removeprefix(_OVERRULE) for name in fields if name.startswith(_OVERRULE)]


def reason_of(fields: Mapping[str, str], words: Words) -> str:
    """The reason, with why each condition is overruled: the history keeps one line."""
    reason = fields.get("reason", "").strip()
    whys = [
        words.text("malgré « %(name)s » : %(why)s", name=condition_name(name, words), why=fields[_WHY + name].strip())
        for name in _ticked(fields)
    ]
    # Kept as people write it: narrow spaces are for what is shown. Without a reason of its own it is refused.
    return " ; ".join([reason, *whys]).replace("\u202f", " ") if reason else ""


async def _page(
    request: Request,
    person: Caller,
    cluster: str,
    service: str,
    wanted: str,
    form: Typed,
    *,
    status: int = 200,
    answer: Answer | None = None,
) -> Response:
    words = rendering.words_of(request)
    system = await system_of(request, person, cluster, service)
    if all(wanted not in moves for moves in MOVES.values()):
        raise ProblemError("not-found")
    if not person.may("move-systems", cluster):
        raise ProblemError("right-missing" if not person.may("move-systems") else "cluster-not-yours")
    is_possible = wanted in MOVES[system.stage] or (wanted == "switch" and system.stage == "legacy")
    asked = None
    if is_possible and wanted in GATED:
        asked = await Inside(request, person).get(f"/cutover/{cluster}/{service}/conditions", {"for": wanted})
    unmet = _unmet(asked, form, words)
    must_sign_in = answer is not None and answer.is_problem("sign-in-again")
    shown = Move(
        move=wanted,
        name=move_name(wanted, words),
        meaning=move_meaning(wanted, system.name, words),
        is_possible=is_possible,
        is_made=LEADS_TO.get(wanted) == system.stage,
        unmet=unmet,
        confirm=f"{cluster}/{service}" if wanted == "retire" else "",
        address=_address(system, wanted),
        sign_in=f"{SIGN_IN}?{urlencode({'encore': 'oui', 'vers': _address(system, wanted)})}",
        is_fresh=not must_sign_in and is_fresh(person),
    )
    return rendering.page(
        request,
        person,
        "cutover/move.html",
        f"{shown.name} · {system.name}",
        status=status,
        system=system,
        move=shown,
        form=form,
        above=above(system, words.text("Bascule")),
    )


def _unmet(asked: Answer | None, form: Typed, words: Words) -> tuple[Unmet, ...] | None:
    """Conditions that fail; None where the service did not say. Raises RefusedError for another refusal."""
    if asked is None:
        return ()
    if asked.is_refusal:
        if asked.status < 500:
            asked.value()
        return None
    return tuple(
        Unmet(
            each,
            is_ticked=bool(form.value(_OVERRULE + each.name)),
            why=form.value(_WHY + each.name),
            is_why_missing=bool(form.value(_OVERRULE + each.name)) and not form.value(_WHY + each.name).strip(),
        )
        for each in conditions_of(asked.json, {}, words).items
        if not each.holds
    )


def is_fresh(person: Caller) -> bool:
    """Whether they signed in short enough ago for what asks for that."""
    return person.session is None or person.session.fresh_until > monotonic()


def _address(system: System, wanted: str) -> str:
    return f"{system.address}/passer?vers={wanted}"
