"""What staff set by hand: one field of a member, believed before every record until it is taken back."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Header, Path, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.responses import Response

from services.gateway.api.authorship import signature
from services.gateway.api.decision_bodies import RecordName, Signed, keys_of
from services.gateway.api.decision_bodies import described as described_body
from services.gateway.api.members import find_member
from services.gateway.api.override_responses import Overrides, ShownField
from services.gateway.auth.audit import Access
from services.gateway.auth.authorisation import require
from services.gateway.auth.caller import Caller
from services.gateway.bodies import body_of
from services.gateway.context import answer
from services.gateway.dependencies import READS_PERSONS, Context, ValueSetter
from services.gateway.problems import ProblemError, described
from services.gateway.translations import language_of
from services.membership.identity.decisions import DecisionError
from services.membership.records.record import RecordKey
from services.membership.translations import MEANINGS_FR, REFUSALS_FR, REFUSED, label
from services.membership.usecases.override_member import (
    ChangedMeanwhileError,
    Find,
    MemberMissingError,
    OverrideRequest,
    Shown,
    set_manually,
    take_back,
)
from services.membership.views.override_queries import overrides_ever_set
from services.membership.views.overrides import LONGEST, OVERRIDABLE, OverrideError
from services.membership.views.queries import member_by_any_id

router = APIRouter(tags=["overrides"])
log = structlog.get_logger()

_FIELD = "/members/{member_id}/fields/{field}"

_KINDS: Final = {
    "record-elsewhere": "record-not-of-member",
    "record-removed": "record-not-of-member",
    "record-unknown": "record-not-of-member",
    "override-unknown": "override-unknown",
}
"""DecisionErrors as the gateway tells of them."""

FieldName = Annotated[
    str, Path(description="as in the view; of `contact` its parts", json_schema_extra={"enum": [*OVERRIDABLE]})
]
IfMatch = Annotated[str | None, Header(description="the view's ETag as last seen; left out, the last writer wins")]


class TakenBack(Signed):
    """Who takes back what was set, and why."""

    record: RecordName | None = Field(None, description="the source record that it was set on; else all of the member")


class SetField(Signed):
    """A value for one field, and who says so for what reason."""

    value: str = Field(description=f"at most {LONGEST:,} characters, without the spaces around them")
    record: RecordName | None = Field(None, description="the source record that it goes with; else the member's first")


@router.put(
    _FIELD,
    response_model=ShownField,
    responses=described(404, 410, 412, 413),
    openapi_extra=described_body(SetField),
)
async def set_field(
    request: Request,
    context: Context,
    caller: ValueSetter,
    member_id: str,
    field: FieldName,
    body: Annotated[SetField, Depends(body_of(SetField))],
    if_match: IfMatch = None,
) -> Response:
    """Show a member with this value, whatever its records say, until it is taken back.

    The value is understood as a record's own would be (a phone number by the country that is shown, say) and kept
    in its normal form. It hangs on one source record and goes with it when members merge and separate: on
    `record`, or without it on the member's first record, the one whose own id is the member's id. Of several that
    a merge brought together the newest is shown. Saying the same again changes nothing.
    """
    with _problems(request):
        asked = _asked(member_id, field, body.record, if_match, caller)
        signed = signature(body, caller)
        access = Access(caller, "set-values", f"member:{member_id}", reason=body.reason)
        async with context.writing(access) as uow:
            shown = await set_manually(uow, asked, body.value, signed)
    log.info("override.set", member_id=shown.member_id, field=field, key_id=caller.key_id)
    return _answer(shown)


@router.post(
    f"{_FIELD}/take-back",
    response_model=ShownField,
    responses=described(404, 410, 412, 413),
    openapi_extra=described_body(TakenBack),
)
async def unset_field(
    request: Request,
    context: Context,
    caller: ValueSetter,
    member_id: str,
    field: FieldName,
    body: Annotated[TakenBack, Depends(body_of(TakenBack))],
    if_match: IfMatch = None,
) -> Response:
    """Take back what was set, so that the records are believed again; answers with what they say.

    Without `record` it is taken back from all of the member's records. `value` is null when no record fills it.
    """
    with _problems(request):
        asked = _asked(member_id, field, body.record, if_match, caller)
        signed = signature(body, caller)
        access = Access(caller, "set-values", f"member:{member_id}", reason=body.reason)
        async with context.writing(access) as uow:
            shown = await take_back(uow, asked, signed)
    log.info("override.taken_back", member_id=shown.member_id, field=field, key_id=caller.key_id)
    return _answer(shown)


@router.get(
    "/members/{member_id}/overrides",
    response_model=Overrides,
    responses=described(404, 410),
    dependencies=READS_PERSONS,
)
async def overrides(context: Context, member_id: str) -> Response:
    """All values that were ever set by hand on the member's records, the newest first.

    `taken_back` is null while one is in force. One that was set anew counts as taken back by whoever did so.
    """
    view = await find_member(context.pool, member_id)
    items = await overrides_ever_set(context.pool, str(view.member_id))
    return answer({"member_id": view.member_id, "items": items})


def _answer(shown: Shown) -> Response:
    return answer(shown.as_json(), {"etag": f'"{shown.etag}"'})


def _asked(member_id: str, field: str, record: str | None, if_match: str | None, caller: Caller) -> OverrideRequest:
    permit = partial(require, caller, "set-values")
    return OverrideRequest(_by_id(member_id), field, _record(record), _seen(if_match), permit)


def _by_id(member_id: str) -> Find:
    try:
        return partial(member_by_any_id, member_id=str(UUID(member_id)))
    except ValueError:
        raise MemberMissingError(removed=False) from None


def _record(written: str | None) -> RecordKey | None:
    return None if written is None else keys_of([written])[0]


def _seen(if_match: str | None) -> Callable[[str], bool]:
    """Whether an etag is one of those that the caller knows (RFC 9110, 13.1.1: a weak one never is)."""
    if if_match is None or if_match.strip() == "*":
        return lambda _: True
    known = {text.strip() for text in if_match.split(",")}
    return lambda etag: f'"{etag}"' in known


@contextmanager
def _problems(request: Request) -> Generator[None]:
    """Say what went wrong as a problem, without the value."""
    try:
        yield
    except MemberMissingError as error:
        raise ProblemError("member-removed" if error.removed else "member-unknown") from None
    except ChangedMeanwhileError as error:
        raise ProblemError("changed-meanwhile", headers={"etag": f'"{error.etag}"'}) from None
    except OverrideError as error:
        raise ProblemError("override-refused", **_refusal(error, request)) from None
    except DecisionError as error:
        if error.kind in _KINDS:
            raise ProblemError(_KINDS[error.kind]) from None
        # What else can be wrong is who signs, or why: "reason-missing".
        message = label(REFUSED, error.kind, language_of(request, "en"))
        raise RequestValidationError([{"loc": (error.kind.partition("-")[0],), "msg": message}]) from None


def _refusal(error: OverrideError, request: Request) -> dict[str, Any]:
    # As the problem's title: in English unless the reader asks for French.
    french = language_of(request, "en") == "fr"
    meaning = {**MEANINGS_FR, **REFUSALS_FR}[error.code] if french else error.meaning
    return {"field": error.field, "code": error.code, "meaning": meaning}
