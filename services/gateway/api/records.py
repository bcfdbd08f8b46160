"""Source records one by one: as they are written now and, where the cluster was moved over, changed here."""

from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.parse import quote
from uuid import uuid4

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from services.gateway.api.decision_bodies import described as described_body
from services.gateway.api.record_bodies import Accepting, Asking, ChangedFields, Contact, Ending, NewRecord
from services.gateway.api.record_problems import as_problems
from services.gateway.api.record_responses import RecordChanges, RecordShown
from services.gateway.auth.audit import Access
from services.gateway.auth.authorisation import author_of, require
from services.gateway.auth.caller import Caller
from services.gateway.bodies import body_of
from services.gateway.context import GatewayContext, answer
from services.gateway.cursors import cursor, position_in_numbers
from services.gateway.dependencies import READS_PERSONS, After, Context, RecordWriter
from services.gateway.idempotency import Key
from services.gateway.idempotency_header import IdempotencyKey, claim, key_of
from services.gateway.problems import ProblemError, described
from services.membership.records.editing import CONTACT, CommandName, contact, ending
from services.membership.records.ids import new_id
from services.membership.records.queries import RecordNow, changes_of, record_now
from services.membership.records.record import RecordKey
from services.membership.rows import InTransaction
from services.membership.usecases.edit_record import By, Command, Done, Patch, etag_of, execute_command

router = APIRouter(tags=["records"])
log = structlog.get_logger()

_LAST = 2**63 - 1
_RECORD = "/records/{cluster}/{record_id:path}"

_REFUSALS = described(404, 409, 410, 412, 413, 428)

IfMatch = Annotated[str | None, Header(description="the record's ETag as last seen, or `*`. Needed")]


# --- read ----------------------------------------------------------------------------------------------------------


# First: a record's id may hold slashes, and would match what comes after it.
@router.get(f"{_RECORD}/changes", response_model=RecordChanges, responses=described(404), dependencies=READS_PERSONS)
async def changes(
    request: Request,
    context: Context,
    cluster: str,
    record_id: str,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: After = None,
) -> Response:
    """What was changed here, by whom and why, the newest first: the names of the fields, never their values.

    Of a record whose own id ends in `/changes` this is the record if that slash is written `%2F`.
    """
    if not request.scope["raw_path"].endswith(b"/changes"):
        return await record(context, cluster, f"{record_id}/changes")
    key, before = _key(cluster, record_id), position_in_numbers(after)
    async with context.pool.snapshot() as rows:
        if await record_now(rows, key) is None:
            raise ProblemError("source-record-unknown")
        changes = await changes_of(rows, key, before=_LAST if before is None else before, limit=limit + 1)
    page = changes[:limit]
    following = cursor(str(page[-1][0]), "") if len(changes) > limit else None
    return answer({"items": [item for _, item in page], "next": following})


@router.get(_RECORD, response_model=RecordShown, responses=described(404, 410), dependencies=READS_PERSONS)
async def record(context: Context, cluster: str, record_id: str) -> Response:
    """A source record as it is written now. `changeable` tells whether it is changed here.

    Its ETag is what a change must bring as `If-Match`. Slashes of its id may be written as they are or, which is
    needed if it ends in `/changes`, as `%2F`.
    """
    key = _key(cluster, record_id)
    result = await record_now(context.pool, key)
    if result is None:
        raise ProblemError("source-record-unknown")
    if result.removed:
        raise ProblemError("source-record-removed")
    return _shown(key, result)


# --- write ---------------------------------------------------------------------------------------------------------


@router.post(
    "/records/{cluster}",
    response_model=RecordShown,
    status_code=201,
    responses=described(404, 409, 413),
    openapi_extra=described_body(NewRecord),
)
async def create(
    request: Request,
    context: Context,
    caller: RecordWriter,
    cluster: str,
    body: Annotated[NewRecord, Depends(body_of(NewRecord))],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Create a member of this cluster, under an id of our own making (a UUIDv7).

    Sent again with the same `Idempotency-Key` it makes no second one.

    What is recognised as a company that is there already becomes one member with it, as with any record.
    """
    asked = _Asked(context, request, caller, _key(cluster, new_id(context.clock.now())), body)
    return await asked.do("create", lambda _: body.fields, key=key_of(request, caller, body, idempotency_key))


@router.patch(_RECORD, response_model=RecordShown, responses=_REFUSALS, openapi_extra=described_body(ChangedFields))
async def change(
    request: Request,
    context: Context,
    caller: RecordWriter,
    cluster: str,
    record_id: str,
    body: Annotated[ChangedFields, Depends(body_of(ChangedFields))],
    if_match: IfMatch = None,
) -> Response:
    """Change some fields of a record. Saying what is so already changes nothing."""
    asked = _Asked(context, request, caller, _key(cluster, record_id), body)
    return await asked.do("change", lambda _: body.fields, _seen(if_match))


@router.post(f"{_RECORD}/end", response_model=RecordShown, responses=_REFUSALS, openapi_extra=described_body(Ending))
async def end(
    request: Request,
    context: Context,
    caller: RecordWriter,
    cluster: str,
    record_id: str,
    body: Annotated[Ending, Depends(body_of(Ending))],
    if_match: IfMatch = None,
) -> Response:
    """End a membership: its status becomes `ended`, with its last day. Terms and dues stay as they are."""
    asked, today = _Asked(context, request, caller, _key(cluster, record_id), body), context.clock.today()
    return await asked.do("end", lambda written: ending(written, body.on, today), _seen(if_match))


@router.put(
    f"{_RECORD}/contact", response_model=RecordShown, responses=_REFUSALS, openapi_extra=described_body(Contact)
)
async def set_contact(
    request: Request,
    context: Context,
    caller: RecordWriter,
    cluster: str,
    record_id: str,
    body: Annotated[Contact, Depends(body_of(Contact))],
    if_match: IfMatch = None,
) -> Response:
    """Replace whom to write to, whole: what is left out is removed."""
    patch = contact(body.model_dump(include=set(CONTACT)))
    asked = _Asked(context, request, caller, _key(cluster, record_id), body)
    return await asked.do("contact", lambda _: patch, _seen(if_match))


class _Asked:
    """One request for a change, from its body to its answer."""

    def __init__(self, context: GatewayContext, request: Request, caller: Caller, key: RecordKey, body: Asking) -> None:
        self._context, self._request, self._caller, self._key, self._body = context, request, caller, key, body

    async def do(
        self,
        name: CommandName,
        patch: Patch,
        as_seen: Callable[[int, str], bool] | None = None,
        *,
        key: Key | None = None,
    ) -> Response:
        require(self._caller, "write-records", self._key.cluster)
        author = author_of(self._caller, self._body.author)
        by = By(author, self._body.reason, self._caller.key_id)
        command = Command(
            name,
            self._key,
            patch,
            by,
            str(uuid4()),
            self._context.clock.now(),
            isinstance(self._body, Accepting) and self._body.accept_doubtful,
            as_seen or (lambda _version, _etag: True),
        )
        with as_problems(self._request, self._context.policy, command):
            access = Access(self._caller, "write-records", f"record:{self._key}", self._key.cluster, reason=by.reason)
            async with self._context.writing(access) as uow:
                [record_id] = await claim(uow, key, [self._key.record_id])
                record = RecordKey(self._key.cluster, record_id)
                # Another id is that of the record which this very request made when it was sent before.
                done = await execute_command(uow, command) if record == self._key else None
                result = await record_now(InTransaction(uow.connection), record)
        assert result is not None, "it was written a moment ago, or found as it should be"
        if result.removed:
            raise ProblemError("source-record-removed")
        if done is not None:
            self._log(command, done)
        where = f"/records/{quote(record.cluster, safe='')}/{quote(record.record_id)}"
        return _shown(record, result, {"location": where}, 201) if name == "create" else _shown(record, result)

    def _log(self, command: Command, done: Done) -> None:
        log.info(
            "record.commanded",
            command=command.name,
            command_id=command.command_id,
            record=str(done.record),
            version=done.version,
            fields=done.changed,
            key_id=command.by.key_id,
        )


def _shown(key: RecordKey, result: RecordNow, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    shown = {
        "cluster": key.cluster,
        "record_id": key.record_id,
        "member_id": result.member_id,
        "stage": result.stage,
        "changeable": result.is_ours,
        "version": result.version,
        "fields": {name: value for name, value in result.written.items() if name not in ("record_id", "version")},
    }
    return answer(shown, {"etag": f'"{etag_of(result.version, result.digest)}"', **(headers or {})}, status)


def _key(cluster: str, record_id: str) -> RecordKey:
    text = cluster + record_id
    # U+0000 and half a character are no text that the database would take, so no record can have them.
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ProblemError("source-record-unknown")
    return RecordKey(cluster, record_id)


def _seen(if_match: str | None) -> Callable[[int, str], bool]:
    """Whether a record is one of those that the caller knows (RFC 9110, 13.1.1: a weak etag never is)."""
    if if_match is None:
        raise ProblemError("precondition-missing")
    if if_match.strip() == "*":
        return lambda _version, _etag: True
    known = {text.strip() for text in if_match.split(",")}
    return lambda _version, etag: f'"{etag}"' in known
