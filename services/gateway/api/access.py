"""Who may do what: people, their grants, API keys. Only people give access: an API key never may."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from services.gateway.api import access_bodies as shapes
from services.gateway.api.decision_bodies import described as described_body
from services.gateway.auth import grants, keys, people
from services.gateway.auth.audit import Access, note
from services.gateway.auth.caller import Caller, Grant
from services.gateway.auth.keys import short_id
from services.gateway.auth.rights import RIGHTS, ROLE_WORDS, ROLES, SCOPED, WORDS
from services.gateway.bodies import body_of
from services.gateway.context import GatewayContext, answer
from services.gateway.dependencies import READS_MEMBERS, AccessGiver, Context, Lang, having
from services.gateway.idempotency_header import IdempotencyKey, claim, key_of
from services.gateway.problems import ProblemError, described
from services.gateway.translations import language_of
from services.membership.unit_of_work import MembershipUnitOfWork

router = APIRouter(tags=["access"])

GIVES_ACCESS = having("give-access")
PersonId = Annotated[str, Path(pattern=r"^[a-z0-9]{12}$")]
_NOTHING = Depends(body_of(shapes.Nothing))


@router.get("/access/rights", response_model=shapes.Table, dependencies=READS_MEMBERS)
async def table(request: Request, lang: Lang = None) -> Response:
    """Which role has which rights: the table that every route is checked by."""
    which = 0 if language_of(request) == "fr" else 1
    return answer(
        {
            "roles": [
                {"role": role, "label": ROLE_WORDS[role][which], "rights": [each for each in RIGHTS if each in given]}
                for role, given in ROLES.items()
            ],
            "rights": [{"right": right, "label": WORDS[right][which], "scoped": right in SCOPED} for right in RIGHTS],
        }
    )


@router.get("/access/people", response_model=shapes.People, dependencies=GIVES_ACCESS)
async def everybody(context: Context) -> Response:
    """Everybody who may come in, or could once."""
    async with context.reading() as connection:
        return answer({"items": await people.list_people(connection)})


@router.post(
    "/access/people",
    response_model=shapes.Invited,
    status_code=201,
    responses=described(409, 413),
    openapi_extra=described_body(shapes.NewPerson),
)
async def invite(
    request: Request,
    context: Context,
    caller: AccessGiver,
    body: Annotated[shapes.NewPerson, Depends(body_of(shapes.NewPerson))],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Let a person in, with a link that signs them in once within 15 minutes.

    Sent again with the same `Idempotency-Key` it makes another link for the same person.
    """
    given = _grants(context, body.grants)
    async with _giving(context) as uow:
        new = short_id()
        [person_id] = await claim(uow, key_of(request, caller, body, idempotency_key), [new])
        if person_id == new:
            await _create(uow, body, given, caller, new)
        made = await people.create_link(uow.connection, person_id, by=caller.key_id)
        await _note(uow, caller, f"person:{person_id}", _named(given))
    return answer(_link(context, person_id, *made), status=201)


@router.post(
    "/access/people/{person_id}/link",
    response_model=shapes.Invited,
    status_code=201,
    responses=described(404, 413),
    openapi_extra=described_body(shapes.Nothing),
)
async def link(context: Context, caller: AccessGiver, person_id: PersonId, body: Any = _NOTHING) -> Response:
    """Another link that signs this person in once."""
    async with _giving(context) as uow:
        await _present(uow, person_id)
        made = await people.create_link(uow.connection, person_id, by=caller.key_id)
        await _note(uow, caller, f"person:{person_id}", "link")
    return answer(_link(context, person_id, *made), status=201)


@router.post(
    "/access/people/{person_id}/grants",
    response_model=shapes.Done,
    status_code=201,
    responses=described(404, 413),
    openapi_extra=described_body(shapes.GivenRole),
)
async def give(
    context: Context,
    caller: AccessGiver,
    person_id: PersonId,
    body: Annotated[shapes.GivenRole, Depends(body_of(shapes.GivenRole))],
) -> Response:
    """Give a role. It holds within ten seconds."""
    given = _grants(context, [body])
    async with _giving(context) as uow:
        name = await _present(uow, person_id)
        await grants.give(uow.connection, given, by=caller.key_id, person_id=person_id)
        await _note(uow, caller, f"person:{person_id}", _named(given))
    return answer({"id": person_id, "name": name}, status=201)


@router.post(
    "/access/grants/{grant_id}/end",
    response_model=shapes.Done,
    responses=described(404, 409, 413),
    openapi_extra=described_body(shapes.Nothing),
)
async def end_grant(context: Context, caller: AccessGiver, grant_id: int, body: Any = _NOTHING) -> Response:
    """Take a role away, within ten seconds. The last administrator keeps theirs."""
    async with _giving(context) as uow:
        ended = await grants.end(uow.connection, grant_id, caller.key_id)
        if ended is None:
            raise ProblemError("grant-unknown")
        await _note(uow, caller, ended[1], f"-{ended[0]}")
    return answer({"id": str(grant_id), "name": str(ended[0])})


@router.post(
    "/access/people/{person_id}/disable",
    response_model=shapes.Done,
    responses=described(404, 409, 413),
    openapi_extra=described_body(shapes.Nothing),
)
async def disable(context: Context, caller: AccessGiver, person_id: PersonId, body: Any = _NOTHING) -> Response:
    """Sign a person out within ten seconds, and let them in no more."""
    async with _giving(context) as uow:
        await _present(uow, person_id)
        name = await people.disable_person(uow.connection, person_id)
        await _note(uow, caller, f"person:{person_id}", "disabled")
    return answer({"id": person_id, "name": name})


@router.post(
    "/access/people/{person_id}/enable",
    response_model=shapes.Done,
    responses=described(404, 413),
    openapi_extra=described_body(shapes.Nothing),
)
async def enable(context: Context, caller: AccessGiver, person_id: PersonId, body: Any = _NOTHING) -> Response:
    """Let a person in again, with the roles that they had."""
    async with _giving(context) as uow:
        name = await _present(uow, person_id)
        await people.enable_person(uow.connection, person_id)
        await _note(uow, caller, f"person:{person_id}", "enabled")
    return answer({"id": person_id, "name": name})


@router.get("/access/keys", response_model=shapes.Keys, dependencies=GIVES_ACCESS)
async def all_keys(context: Context) -> Response:
    """Every API key, never its secret."""
    async with context.reading() as connection:
        return answer({"items": await keys.list_keys(connection)})


@router.post(
    "/access/keys",
    response_model=shapes.KeyMade,
    status_code=201,
    responses=described(409, 413),
    openapi_extra=described_body(shapes.NewKey),
)
async def create_key(
    request: Request,
    context: Context,
    caller: AccessGiver,
    body: Annotated[shapes.NewKey, Depends(body_of(shapes.NewKey))],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Make an API key. It is shown this once: sent again with the same `Idempotency-Key` it is refused."""
    given = _grants(context, body.grants)
    async with _giving(context) as uow:
        new = short_id()
        if await claim(uow, key_of(request, caller, body, idempotency_key), [new]) != [new]:
            raise ProblemError("key-made-already")
        key = await keys.create_key(
            uow.connection,
            body.name,
            given,
            body.days,
            by=caller.key_id,
            signs_for_others=body.signs_for_others,
            key_id=new,
        )
        await _note(uow, caller, f"key:{new}", _named(given))
    return answer({"id": key.split("_")[1], "key": key}, status=201)


@router.post(
    "/access/keys/{key_id}/revoke",
    response_model=shapes.Done,
    responses=described(404, 413),
    openapi_extra=described_body(shapes.Nothing),
)
async def revoke_key(context: Context, caller: AccessGiver, key_id: PersonId, body: Any = _NOTHING) -> Response:
    """Revoke an API key, within ten seconds."""
    async with _giving(context) as uow:
        name = await keys.revoke_key(uow.connection, key_id)
        if name is None:
            raise ProblemError("key-unknown")
        await _note(uow, caller, f"key:{key_id}", "revoked")
    return answer({"id": key_id, "name": name})


@asynccontextmanager
async def _giving(context: GatewayContext) -> AsyncGenerator[MembershipUnitOfWork]:
    """One change of who may do what. It is known to this process at once."""
    try:
        async with context.writing() as uow:
            yield uow
    except grants.LastAdministratorError:
        raise ProblemError("last-administrator") from None
    await context.callers.refresh()


async def _note(uow: MembershipUnitOfWork, caller: Caller, about: str, what: str) -> None:
    """Its trace, once it is known whom it concerns."""
    await note(uow.connection, Access(caller, "give-access", about, reason=what))


async def _create(
    uow: MembershipUnitOfWork, body: shapes.NewPerson, given: Sequence[Grant], caller: Caller, person_id: str
) -> None:
    try:
        await people.create_person(
            uow.connection,
            body.name,
            body.email,
            given,
            by=caller.key_id,
            locale=body.locale,
            person_id=person_id,
        )
    except people.EmailTakenError:
        raise ProblemError("email-taken") from None


async def _present(uow: MembershipUnitOfWork, person_id: str) -> str:
    name = await people.name_of(uow.connection, person_id)
    if name is None:
        raise ProblemError("person-unknown")
    return name


def _grants(context: GatewayContext, given: Sequence[shapes.GivenRole]) -> list[Grant]:
    for each in given:
        if each.cluster is not None and each.cluster not in context.policy.clusters:
            raise RequestValidationError([{"loc": ("body", "cluster"), "msg": "there is no such cluster"}])
    return [Grant(each.role, each.cluster) for each in given]


def _named(given: Sequence[Grant]) -> str:
    return ", ".join(map(str, given))


def _link(context: GatewayContext, person_id: str, token: str, expires_at: Any) -> dict[str, Any]:
    return {"id": person_id, "link": f"{context.console_url}/console/connexion/{token}", "expires_at": expires_at}
