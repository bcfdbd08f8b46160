"""What was asked of another service, and what becomes of it: live, and safe to load again."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import clock_time
from services.gateway.console.errors import Refusal, refusal
from services.gateway.console.inside import Inside
from services.gateway.console.pages import cutover
from services.gateway.console.pages.cutover_findings import found
from services.gateway.console.pages.cutover_words import (
    authority,
    condition_name,
    service_name,
    stage_name,
)
from services.gateway.console.sections import Link, is_live
from services.gateway.console.session import Person

router = APIRouter(include_in_schema=False)

PATH: Final = "/console/demandes"
ASYNC: Final = {"prefer": "respond-async"}
"""Asks the API not to wait for what another service does (RFC 7240, section 4.1)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: ``state`` is done, now, next or refused."""

    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Unmet:
    """A condition that failed; what was found is in English where it ``is_raw``."""

    label: str
    found: str
    is_raw: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page shows. ``stamp`` changes whenever there is something new to show."""

    address: str
    stamp: str
    is_over: bool
    is_live: bool
    steps: tuple[Step, ...]
    reason: str
    outcome: str
    details: tuple[str, ...]
    refusal: Refusal | None
    unmet: tuple[Unmet, ...]
    is_well: bool
    remains: str
    back: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Since:
    """What happened since the answer: the board's ``epoch`` tells whether everybody heard of a move.

    Of messages that were sent again, how many were parked ``again``, and how many are still ``under_way``.
    """

    epoch: int | None = None
    again: int = 0
    under_way: int = 0


def asked_address(request_id: str) -> str:
    """Where a request is followed."""
    return f"{PATH}/{request_id}"


@router.get(f"{PATH}/{{request_id}}")
async def asked(request: Request, person: Person, request_id: str, vu: str = "") -> Response:
    """How far it is. A page that shows this much already is answered with nothing."""
    inside, words = Inside(request, person), rendering.words_of(request)
    kept = (await inside.get(f"/cutover/requests/{request_id}")).value()
    shown = shown_request(kept, await _since_then(inside, kept), words, is_live=is_live(request, kept["at"]))
    if rendering.is_part(request):
        if vu == shown.stamp:
            return Response(status_code=204)
        return rendering.part(request, "asked/steps.html", asked=shown)
    return rendering.page(request, person, "asked/page.html", _title(kept, words), asked=shown)


async def _since_then(inside: Inside, kept: Mapping[str, Any]) -> Since:
    """What happened after the service had answered."""
    answer = kept["answer"]
    if kept["state"] != "done" or not answer:
        return Since()
    if kept["operation"] == "move":
        lines = (await inside.get("/cutover")).value()["items"]
        return Since(epoch=next((line["epoch"] for line in lines if line["system"] == kept["system"]), None))
    if kept["operation"] == "replay" and answer["replayed"]:
        path, sent = f"/{kept['service']}/parked-groups", [str(number) for number in answer["replayed"]]
        again, under_way = await asyncio.gather(
            inside.get(path, {"status": "parked", "numbers": sent}),
            inside.get(path, {"status": "replaying", "numbers": sent}),
        )
        if again.is_refusal or under_way.is_refusal:
            return Since()
        return Since(again=again.json["count"], under_way=under_way.json["count"])
    return Since()


def shown_request(kept: Mapping[str, Any], since: Since, words: Words, *, is_live: bool = True) -> Asked:
    """A request as it is shown."""
    answer: Mapping[str, Any] = kept["answer"] or {}
    is_move = kept["operation"] == "move"
    is_announced = not is_move or not answer or (since.epoch is not None and since.epoch >= answer["epoch"])
    is_announced = is_announced and not since.under_way
    is_over = kept["state"] != "waiting" and (kept["state"] == "refused" or is_announced)
    problem: Mapping[str, Any] = kept["problem"] or {}
    return Asked(
        address=asked_address(kept["id"]),
        stamp="over" if is_over else f"{kept['state']}-{since.again}-{since.under_way}-{is_live:d}",
        is_over=is_over,
        is_live=is_live and not is_over,
        steps=_steps(kept, is_move=is_move, is_announced=is_announced, words=words),
        reason=kept["reason"] or "",
        outcome=outcome_of(kept, words),
        details=_details(kept, since, words),
        refusal=refusal(problem["status"], problem, words) if problem else None,
        unmet=tuple(_unmet(each, words) for each in problem.get("conditions", ())),
        is_well=not since.again and not answer.get("nowhere"),
        remains=answer.get("remains") or "",
        back=_back(kept, words),
    )


def _unmet(condition: Mapping[str, Any], words: Words) -> Unmet:
    known = found(condition["detail"], words)
    return Unmet(condition_name(condition["name"], words), known or condition["detail"], known is None)


def _steps(kept: Mapping[str, Any], *, is_move: bool, is_announced: bool, words: Words) -> tuple[Step, ...]:
    service = service_name(kept["service"], words)
    time = clock_time(kept["at"], words.language)
    state = kept["state"]
    asked = words.text(
        "Demandé à « %(service)s » à %(time)s par %(name)s", service=service, time=time, name=kept["author"]
    )
    working = words.text("Le service fait ce qui est demandé")
    if is_move:
        working = words.text("Le service attend les écritures en cours, et vérifie les conditions")
    steps = [Step("done", asked), Step({"waiting": "now", "refused": "refused"}.get(state, "done"), working)]
    if state == "refused":
        return (*steps, Step("refused", words.text("Refusé : rien n’a été fait")))
    last = "next" if state == "waiting" else "done"
    steps.append(Step(last, words.text("Passé") if is_move else words.text("Fait")))
    if is_move:
        told = "next" if state == "waiting" else "done" if is_announced else "now"
        steps.append(Step(told, words.text("Annoncé à tous les services")))
    return tuple(steps)


def outcome_of(kept: Mapping[str, Any], words: Words) -> str:
    """What was done, in a sentence; empty while nothing was."""
    answer: Mapping[str, Any] | None = kept["answer"]
    if kept["state"] != "done":
        return ""
    if answer is None:
        return words.text("Fait ; la réponse n’est plus gardée.")
    match kept["operation"]:
        case "move":
            said = {"stage": stage_name(answer["stage"], words), "authority": authority(answer["stage"], words)}
            if answer["already"]:
                return words.text("C’était déjà fait : étape « %(stage)s », autorité : %(authority)s.", **said)
            return words.text("C’est fait : étape « %(stage)s », autorité : %(authority)s.", **said)
        case "replay":
            return words.plural("%(num)s message rejoué.", "%(num)s messages rejoués.", len(answer["replayed"]))
        case "discard":
            return words.plural("%(num)s message écarté.", "%(num)s messages écartés.", len(answer["discarded"]))
        case _:
            return words.text("C’est fait.")


def _details(kept: Mapping[str, Any], since: Since, words: Words) -> tuple[str, ...]:
    """What became of messages that were sent again, and what is left."""
    answer: Mapping[str, Any] = kept["answer"] or {}
    if kept["state"] != "done" or kept["operation"] not in ("replay", "discard"):
        return ()
    counts = [
        (since.under_way, words.plural("%(num)s est en route.", "%(num)s sont en route.", since.under_way)),
        (since.again, words.plural("%(num)s a été remis de côté.", "%(num)s ont été remis de côté.", since.again)),
        (answer["more"], words.plural("%(num)s reste.", "%(num)s restent.", answer["more"])),
    ]
    return (*(text for count, text in counts if count), *answer.get("nowhere", ()))


def _title(kept: Mapping[str, Any], words: Words) -> str:
    return {
        "move": words.text("Passage demandé"),
        "replay": words.text("Messages à rejouer"),
        "discard": words.text("Messages à écarter"),
        "note-backup": words.text("Sauvegarde"),
    }.get(kept["operation"], words.text("Demande"))


def _back(kept: Mapping[str, Any], words: Words) -> tuple[Link, ...]:
    if kept["system"] is not None:
        return (Link(f"{cutover.PATH}/{kept['system']}", words.text("Voir l’ancien système")),)
    if kept["operation"] in ("replay", "discard", "note-backup"):
        below = "" if kept["operation"] == "note-backup" else f"/{kept['service']}"
        return (Link(f"/console/exploitation{below}", words.text("Voir l’exploitation")),)
    return (Link("/console", words.text("Retour à l’accueil")),)
