"""The review queue, and what staff decide about it."""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from services.gateway.api import decision_bodies
from services.gateway.api.authorship import refusals, require_share, signature
from services.gateway.api.decision_bodies import Bulk, Deciding, Signed, SortedOut, Verdict
from services.gateway.api.duplicate_responses import (
    BulkDecided,
    Case,
    CasesCounted,
    DecidedNow,
    Decisions,
    DecisionShown,
    Queue,
)
from services.gateway.api.members import find_member, spoken
from services.gateway.auth.audit import Access
from services.gateway.auth.caller import Caller
from services.gateway.bodies import LONGEST_BULK, body_of
from services.gateway.context import GatewayContext, answer
from services.gateway.cursors import cursor, position_in_numbers, position_in_queue
from services.gateway.dependencies import READS_PERSONS, After, Context, Decider, KnownCluster, Lang, check_cluster
from services.gateway.problems import ProblemError, as_json, described, faults_of, not_now
from services.gateway.translations import language_of
from services.membership.connections import DatabaseUnavailableError
from services.membership.identity import answers, queries, review_answers, review_rows
from services.membership.identity.decisions import Decided
from services.membership.identity.review import Kind
from services.membership.identity.review_rows import Wanted
from services.membership.rows import InTransaction
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import decide as commands

router = APIRouter(tags=["duplicates"])
log = structlog.get_logger()

_LAST = 2**63 - 1

Number = Annotated[int, Path(ge=1, le=_LAST, description="a decision's number")]


# A case's id would match the paths of decisions, so they come first.
# --- what is decided -----------------------------------------------------------------------------------------------


@router.get("/duplicates/decisions", response_model=Decisions, dependencies=READS_PERSONS)
async def taken(context: Context, limit: Annotated[int, Query(ge=1, le=500)] = 50, after: After = None) -> Response:
    """Decisions, the newest first, with those that were taken back."""
    before = position_in_numbers(after)
    async with context.pool.snapshot() as rows:
        newest_decisions = await queries.newest_decisions(
            rows, before=_LAST if before is None else before, limit=limit + 1
        )
    page = newest_decisions[:limit]
    following = cursor(str(page[-1].number), "") if len(newest_decisions) > limit else None
    return answer({"items": [answers.decision(item) for item in page], "next": following})


@router.post(
    "/duplicates/decisions",
    response_model=DecidedNow | BulkDecided,
    status_code=201,
    responses={
        **described(409, 413),
        200: {"model": DecidedNow | BulkDecided, "description": "Said already, or a bulk"},
    },
    openapi_extra=decision_bodies.described(Deciding),
)
async def decide(
    request: Request,
    context: Context,
    caller: Decider,
    body: Annotated[Deciding, Depends(body_of(Deciding, LONGEST_BULK))],
) -> Response:
    """Say that source records are one company, that they are not, or which of them are which.

    It holds for these records whatever is imported later, until it is taken back. Saying it again changes nothing
    and is answered with 200. With `case` it counts only while that question is open, so that of two people who answer
    it at one moment the later one is refused. A bulk has up to 100 decisions, each taken or refused by itself.
    """
    match body.root:
        case Bulk(decisions=many):
            return answer({"results": await _each(context, request, caller, many)})
        case single:
            return decided_response(await _decide(context, request, caller, single))


@router.get(
    "/duplicates/decisions/{number}",
    response_model=DecisionShown,
    responses=described(404),
    dependencies=READS_PERSONS,
)
async def decision_by_number(context: Context, number: Number) -> Response:
    """One decision."""
    async with context.pool.snapshot() as rows:
        result = await queries.decisions_named(rows, [number])
    if number not in result:
        raise ProblemError("decision-unknown")
    return answer(answers.decision(result[number]))


@router.post(
    "/duplicates/decisions/{number}/take-back",
    response_model=DecidedNow,
    responses=described(404, 413),
    openapi_extra=decision_bodies.described(Signed),
)
async def take_back(
    request: Request,
    context: Context,
    caller: Decider,
    number: Number,
    body: Annotated[Signed, Depends(body_of(Signed))],
) -> Response:
    """Take a decision back: it counts no more, and what it held together or apart is judged by the rest."""
    with refusals(request):
        access = Access(caller, "decide-identity", f"decision:{number}", reason=body.reason)
        async with context.writing(access) as uow:
            taken = await queries.decisions_named(InTransaction(uow.connection), [number])
            for decision in taken.values():
                require_share(caller, decision.as_decision())
            decided = await commands.take_back(uow, number, signature(body, caller))
    log.info("duplicates.taken_back", decision=number, key_id=caller.key_id, repeated=decided.repeated)
    return answer(answers.just_decided(decided))


# --- what is open --------------------------------------------------------------------------------------------------


async def wanted(
    context: Context,
    cluster: KnownCluster = None,
    kind: Annotated[Kind | None, Query(description="two members, or a group that contradicts itself")] = None,
    min_probability: Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)] = 0.0,
    member: Annotated[str | None, Query(max_length=50, description="any id that the member ever had")] = None,
) -> Wanted:
    """Which cases are asked for. Raises RequestValidationError for a cluster that there is not, ProblemError."""
    known = check_cluster(context, cluster)
    current = None if member is None else (await find_member(context.pool, member)).member_id
    return Wanted(known, kind, min_probability, current)


@router.get("/duplicates/count", response_model=CasesCounted, responses=described(404, 410), dependencies=READS_PERSONS)
async def count(context: Context, wanted: Annotated[Wanted, Depends(wanted)]) -> Response:
    """How many cases the queue has with the same filters, without the cases."""
    return answer({"total": await review_rows.count(context.pool, wanted)})


@router.get("/duplicates", response_model=Queue, responses=described(404, 410), dependencies=READS_PERSONS)
async def queue(
    request: Request,
    context: Context,
    wanted: Annotated[Wanted, Depends(wanted)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: After = None,
    lang: Lang = None,
) -> Response:
    """Members that may be one company, the largest gain first, side by side with the evidence in words.

    `gain` is what a right answer saves: the probability that they are one, times what is done twice today.
    The first page also names, whatever the filters, what is shared by too many records to compare each with each.
    """
    position, language = position_in_queue(after), language_of(request)
    async with context.pool.snapshot() as rows:
        later = await review_rows.page(rows, wanted, after=position, limit=limit + 1)
        total = await review_rows.count(rows, wanted)
        items = await review_answers.described(rows, later[:limit], context.policy.weights, language)
        crowds = await context.crowds.get(rows) if position is None else []
    following = cursor(repr(items[-1]["gain"]), items[-1]["id"]) if len(later) > limit else None
    return answer(
        {
            "items": items,
            "next": following,
            "total": total,
            "too_many_alike": review_answers.too_many_alike(crowds, language),
        },
        spoken(language),
    )


@router.get("/duplicates/{case_id}", response_model=Case, responses=described(404), dependencies=READS_PERSONS)
async def case(request: Request, context: Context, case_id: str, lang: Lang = None) -> Response:
    """One case. Its id stays while the same records are in question; once answered, there is no such case."""
    language = language_of(request)
    async with context.pool.snapshot() as rows:
        open_case = None if "\x00" in case_id else await review_rows.by_id(rows, case_id)
        cases = [] if open_case is None else [open_case]
        items = await review_answers.described(rows, cases, context.policy.weights, language)
    if not items:
        raise ProblemError("case-unknown")
    return answer(items[0], spoken(language))


def decided_response(decided: Decided) -> Response:
    """201 for what is new, 200 for what had been said already."""
    headers = {"location": f"/duplicates/decisions/{decided.number}"}
    return answer(answers.just_decided(decided), headers, 200 if decided.repeated else 201)


async def _decide(context: GatewayContext, request: Request, caller: Caller, verdict: Verdict | SortedOut) -> Decided:
    with refusals(request):
        decision, signed = decision_bodies.decision_of(verdict), signature(verdict, caller)
        require_share(caller, decision)
        about = "records:" + ",".join(map(str, sorted(decision.records)))
        async with context.writing(Access(caller, "decide-identity", about, reason=verdict.reason)) as uow:
            if verdict.case is not None:
                await _require_open(uow, verdict.case)
            decided = await commands.decide(uow, decision, signed)
    log.info("duplicates.decided", decision=decided.number, key_id=caller.key_id, repeated=decided.repeated)
    return decided


async def _require_open(uow: MembershipUnitOfWork, case_id: str) -> None:
    """Raises ProblemError where a case is answered already, by whoever had the turn before."""
    await uow.serialise_writers()
    if await review_rows.by_id(InTransaction(uow.connection), case_id) is None:
        raise ProblemError("case-answered")


async def _each(context: GatewayContext, request: Request, caller: Caller, many: list[Any]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    away: ProblemError | None = None
    for item in many:
        try:
            if away is not None:
                raise away
            decided = await _decide(context, request, caller, decision_bodies.read_decision(item))
            results.append({"status": 200 if decided.repeated else 201, **answers.just_decided(decided)})
        except ValidationError as error:
            faults = [{"loc": ("body", *fault["loc"]), "msg": fault["msg"]} for fault in error.errors()]
            results.append(_problem(request, ProblemError("invalid-parameters", errors=faults_of(faults))))
        except ProblemError as problem:
            results.append(_problem(request, problem))
        except DatabaseUnavailableError as error:
            # Those that follow would each wait as long for the same answer.
            away = not_now(error)
            results.append(_problem(request, away))
    return results


def _problem(request: Request, problem: ProblemError) -> dict[str, Any]:
    document = as_json(problem, language_of(request, "en"))
    return {"status": document["status"], "problem": document}
