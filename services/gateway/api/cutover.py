"""Former systems: where each stands, what must hold before it moves, its moves, and what it says too late.

The service that keeps a former system's stage is asked over the broker, and mostly answers at once; when it does not,
the door says where its answer can be asked for later.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Path, Query, Security
from fastapi import Request as HttpRequest
from starlette.responses import Response

from schemas.cutover_requests import Operation
from services.cutover.operations import authority
from services.gateway import requests
from services.gateway.api import cutover_responses
from services.gateway.api.cutover_answers import answer_of, location_of, problem_of, system_of
from services.gateway.api.cutover_bodies import Deciding, Moving, NotedBackup
from services.gateway.api.decision_bodies import described as described_body
from services.gateway.auth.key_cache import Caller, needs
from services.gateway.auth.keys import Role
from services.gateway.bodies import body_of
from services.gateway.context import GatewayContext, answer
from services.gateway.idempotency import Key
from services.gateway.idempotency_header import IdempotencyKey, claim, key_of
from services.gateway.problems import ProblemError, as_json, described
from services.gateway.requests import Asked
from services.gateway.requests_queries import Request, board, request_now
from services.gateway.translations import language_of
from services.membership.records.ids import new_id
from shared.runtime.text import printable

log = structlog.get_logger()

_SYSTEM = "/cutover/{cluster}/{service}"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_LATER: dict[int | str, dict[str, Any]] = {
    202: {"model": cutover_responses.Waiting, "description": "Asked; the service has not answered yet"}
}
_FIRST_LOOK_SECONDS, _LONGEST_PAUSE_SECONDS = 0.02, 0.25

Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[int, Query(ge=0, le=2**53, description="`next` of the page before")]
Number = Annotated[int, Path(ge=1, le=2**53, description="the number in the late message's id")]


def routes(door: GatewayContext) -> APIRouter:
    """``/cutover`` and what hangs below it."""
    router = APIRouter(tags=["cutover"])
    desk = _CutoverRequests(door)
    # First: what comes after would take these words for a cluster and a service.
    _requests(router, door)
    _looks(router, door, desk)
    _moves(router, door, desk)
    _quarantine(router, door, desk)
    return router


def _requests(router: APIRouter, door: GatewayContext) -> None:
    staff = [Security(needs(door.keyring, Role.STAFF))]

    @router.get(
        "/cutover/requests/{request_id}",
        response_model=cutover_responses.RequestShown,
        responses=described(404),
        dependencies=staff,
    )
    async def one_request(request: HttpRequest, request_id: str) -> Response:
        """What was asked of a service that had not answered in time, and what it answered since."""
        found = await request_now(door.pool, request_id) if _ID.fullmatch(request_id) else None
        if found is None:
            raise ProblemError("cutover-request-unknown")
        problem = None
        if found.outcome == "refused" and found.answer is not None:
            problem = as_json(problem_of(request_id, found.answer), language_of(request, "en"))
        return answer(
            {
                "id": found.request_id,
                "system": system_of(found),
                "service": found.service,
                "operation": found.operation,
                "author": found.author,
                "reason": found.reason,
                "at": found.at,
                "state": found.outcome or "waiting",
                "answer": found.answer if found.outcome == "done" else None,
                "problem": problem,
                "answered_at": found.answered_at,
            }
        )


# --- look ----------------------------------------------------------------------------------------------------------


def _looks(router: APIRouter, door: GatewayContext, desk: "_CutoverRequests") -> None:
    staff = needs(door.keyring, Role.STAFF)
    may = described(404, 409, 503) | _LATER

    @router.get("/cutover", response_model=cutover_responses.Board, dependencies=[Security(staff)])
    async def all_systems() -> Response:
        """The board: every former system, and where it stands as its service last told."""
        systems = [(code, service) for code, cluster in door.policy.clusters.items() for service in cluster.services]
        return answer(
            {
                "items": [
                    {
                        "system": f"{cluster}/{service}",
                        "cluster": cluster,
                        "service": service,
                        "stage": at.stage,
                        "authority": authority(at.stage),
                        "epoch": at.epoch,
                        "since": at.since,
                        "by": at.by,
                    }
                    for cluster, service, at in await board(door.pool, systems)
                ]
            }
        )

    @router.get(_SYSTEM, response_model=cutover_responses.StageShown, responses=may)
    async def one_system(caller: Annotated[Caller, Security(staff)], cluster: str, service: str) -> Response:
        """Where one former system stands: since when, who moved it there and why, and what waits."""
        return await desk.ask(caller, _System(cluster, service), "standing", {})

    @router.get(f"{_SYSTEM}/conditions", response_model=cutover_responses.Conditions, responses=may)
    async def conditions(
        caller: Annotated[Caller, Security(staff)],
        cluster: str,
        service: str,
        which: Annotated[Literal["switch", "rollback"], Query(alias="for")] = "switch",
    ) -> Response:
        """What must hold before it is switched or rolled back: what was found, and what mends it."""
        return await desk.ask(caller, _System(cluster, service), "conditions", {"for": which})

    @router.get(f"{_SYSTEM}/history", response_model=cutover_responses.Moves, responses=may)
    async def history(caller: Annotated[Caller, Security(staff)], cluster: str, service: str) -> Response:
        """Every move of it, the newest first: who, when, why, and what was overruled."""
        return await desk.ask(caller, _System(cluster, service), "history", {})

    @router.get(f"{_SYSTEM}/parity", response_model=cutover_responses.ParityShown, responses=may)
    async def parity(
        caller: Annotated[Caller, Security(staff)],
        cluster: str,
        service: str,
        state: Literal["open", "accepted", "all"] = "open",
        limit: Limit = 50,
        after: After = 0,
    ) -> Response:
        """The newest comparison of our mirror with what it holds, and where the two differ."""
        given = {"state": state, "limit": limit, "after": after}
        return await desk.ask(caller, _System(cluster, service), "parity", given)

    @router.get(f"{_SYSTEM}/way-back", response_model=cutover_responses.WayBack, responses=may)
    async def way_back(
        caller: Annotated[Caller, Security(staff)],
        cluster: str,
        service: str,
        limit: Limit = 50,
        after: Annotated[
            str, Query(max_length=200, pattern=r"^[^\x00]*$", description="`next` of the page before")
        ] = "",
    ) -> Response:
        """What was written here and told to it: what it has not read, has not said since, and cannot say at all."""
        return await desk.ask(caller, _System(cluster, service), "way-back", {"limit": limit, "after": after})


# --- move ----------------------------------------------------------------------------------------------------------


def _moves(router: APIRouter, door: GatewayContext, desk: "_CutoverRequests") -> None:
    admin = needs(door.keyring, Role.ADMIN)

    @router.post(
        f"{_SYSTEM}/moves",
        response_model=cutover_responses.MovedShown,
        responses=described(404, 409, 413, 503) | _LATER,
        openapi_extra=described_body(Moving),
    )
    async def move(
        request: HttpRequest,
        caller: Annotated[Caller, Security(admin)],
        cluster: str,
        service: str,
        body: Annotated[Moving, Depends(body_of(Moving))],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Move it on or back (role `admin`). A move that was made already is told, and not made again.

        A switch and a rollback are refused while a condition fails that is not overruled. To retire it, `confirm` must
        be its name, such as `numelink/membership`: there is no way back, and its broker user may write no more. As
        long as it may, `remains` says so, and the command with which an operator takes the right away.
        """
        system = _System(cluster, service)
        door_knows = desk.check(system)
        if body.move == "retire" and body.confirm != door_knows:
            fault = {"field": "confirm", "message": f"must be {door_knows}: there is no way back"}
            raise ProblemError("confirmation-missing", errors=[fault])
        if body.overrule and body.move not in ("switch", "rollback"):
            fault = {"field": "overrule", "message": f"a {body.move} has no conditions to overrule"}
            raise ProblemError("invalid-parameters", errors=[fault])
        given = {"move": body.move, "overrule": body.overrule}
        signed = _Signed(body.author, body.reason, key_of(request, caller, body, idempotency_key))
        return await desk.ask(caller, system, "move", given, signed)

    @router.post(
        "/cutover/backups",
        response_model=cutover_responses.Backups,
        responses=described(409, 413, 503)
        | {202: {"model": cutover_responses.Backups, "description": "Not noted by all yet"}},
        openapi_extra=described_body(NotedBackup),
    )
    async def note_backup(
        request: HttpRequest,
        caller: Annotated[Caller, Security(admin)],
        body: Annotated[NotedBackup, Depends(body_of(NotedBackup))],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Note in every service that all databases were backed up now (role `admin`): the conditions ask for it."""
        return await desk.note_backup(caller, body, key_of(request, caller, body, idempotency_key))


# --- quarantine ----------------------------------------------------------------------------------------------------


def _quarantine(router: APIRouter, door: GatewayContext, desk: "_CutoverRequests") -> None:
    staff = needs(door.keyring, Role.STAFF)
    may = described(404, 409, 413, 503) | _LATER

    @router.get(f"{_SYSTEM}/quarantine", response_model=cutover_responses.Quarantine, responses=may)
    async def late_messages(
        caller: Annotated[Caller, Security(staff)],
        cluster: str,
        service: str,
        state: Literal["waiting", "applied", "dismissed", "all"] = "waiting",
        limit: Limit = 50,
        after: After = 0,
    ) -> Response:
        """What it said after it had been moved over, the oldest first."""
        given = {"state": state, "limit": limit, "after": after}
        return await desk.ask(caller, _System(cluster, service), "quarantine", given)

    @router.get(f"{_SYSTEM}/quarantine/{{number}}", response_model=cutover_responses.LateShown, responses=may)
    async def late_message(
        caller: Annotated[Caller, Security(staff)], cluster: str, service: str, number: Number
    ) -> Response:
        """One late message whole, beside what is held now."""
        return await desk.ask(caller, _System(cluster, service), "late-message", {"number": number})

    def decides(word: Literal["apply", "dismiss"], told: str) -> None:
        operation: Operation = "apply-late" if word == "apply" else "dismiss-late"

        @router.post(
            f"{_SYSTEM}/quarantine/{{number}}/{word}",
            response_model=cutover_responses.LateShown,
            responses=may,
            openapi_extra=described_body(Deciding),
            name=f"{word}_late_message",
            description=told,
        )
        async def decide(
            request: HttpRequest,
            caller: Annotated[Caller, Security(staff)],
            cluster: str,
            service: str,
            number: Number,
            body: Annotated[Deciding, Depends(body_of(Deciding))],
            idempotency_key: IdempotencyKey = None,
        ) -> Response:
            signed = _Signed(body.author, body.reason, key_of(request, caller, body, idempotency_key))
            return await desk.ask(caller, _System(cluster, service), operation, {"number": number}, signed)

    decides("apply", "Apply a late message after all: it replaces what is held of its record.")
    decides("dismiss", "Decide that a late message is not applied. It is kept.")


# --- asking other services -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _System:
    cluster: str
    service: str


@dataclass(frozen=True, slots=True)
class _Signed:
    """Who decides it if not the key's own name, why, and the key by which the request is known again."""

    author: str | None = None
    reason: str | None = None
    key: Key | None = None


_UNSIGNED = _Signed()


class _CutoverRequests:
    """Requests to the services that keep stages, from the door to their answers."""

    def __init__(self, door: GatewayContext) -> None:
        self._door = door

    def check(self, system: _System) -> str:
        """The former system's name. Raises ProblemError where there is none such."""
        cluster = self._door.policy.clusters.get(system.cluster)
        if cluster is None or system.service not in cluster.services:
            raise ProblemError("former-system-unknown")
        return f"{cluster.code}/{system.service}"

    async def ask(
        self,
        caller: Caller,
        system: _System,
        operation: Operation,
        given: Mapping[str, Any],
        signed: _Signed = _UNSIGNED,
    ) -> Response:
        """Ask the service, and answer what it answers; or where to ask later. Raises ProblemError."""
        self.check(system)
        author = signed.author or _name_of(caller)
        asked = Asked(system.service, system.cluster, operation, given, author, caller.key_id, signed.reason)
        [request_id] = await self._send([asked], signed.key)
        found = await self._answered(request_id, monotonic() + self._door.answer_seconds)
        if found.outcome is None:
            location = location_of(request_id)
            waiting = {"id": request_id, "state": "waiting", "location": location}
            return answer(waiting, {"location": location, "retry-after": "1"}, 202)
        return answer(answer_of(found))

    async def note_backup(self, caller: Caller, body: NotedBackup, key: Key | None) -> Response:
        """Ask every service that has a former system; one after the other answers. Raises ProblemError."""
        services = sorted({name for cluster in self._door.policy.clusters.values() for name in cluster.services})
        author = body.author or _name_of(caller)
        asked = [Asked(name, None, "note-backup", {"note": body.note}, author, caller.key_id) for name in services]
        deadline = monotonic() + self._door.answer_seconds
        found = [await self._answered(one, deadline) for one in await self._send(asked, key)]
        noted = [one.service for one in found if one.outcome is not None and answer_of(one)]
        waiting = [location_of(one.request_id) for one in found if one.outcome is None]
        return answer({"noted": noted, "waiting": waiting}, status=202 if waiting else 200)

    async def _send(self, asked: list[Asked], key: Key | None) -> list[str]:
        now = self._door.clock.now()
        made = [new_id(now) for _ in asked]
        async with self._door.writing() as uow:
            known = await claim(uow, key, made)
            if known != made:
                return known
            for one, request_id in zip(asked, made, strict=True):
                await requests.ask(uow, one, now, request_id)
        for one, request_id in zip(asked, made, strict=True):
            log.info("cutover.asked", request_id=request_id, operation=one.operation, key_id=one.key_id)
        return made

    async def _answered(self, request_id: str, deadline: float) -> Request:
        """The request once it is answered, or as it is at the deadline."""
        pause = _FIRST_LOOK_SECONDS
        while True:
            found = await request_now(self._door.pool, request_id)
            assert found is not None, "it was kept a moment ago, and is kept for days"
            left = deadline - monotonic()
            if found.outcome is not None or left <= 0:
                return found
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


def _name_of(caller: Caller) -> str:
    """The key's name, as a line that every message may carry."""
    return printable(caller.name).strip()[:200] or caller.key_id
