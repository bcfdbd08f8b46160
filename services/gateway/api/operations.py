"""The routes of every operation, made from its declaration: path, role, arguments and answer stand there alone.

A query is asked by RPC. A command is kept and sent; where its answer takes long, the route says where to ask later.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Security
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from starlette.responses import Response

from schemas.cutover_operations import PARITY
from schemas.operation import Arguments, Operation
from schemas.operations import OPERATIONS
from services.gateway import commands, queries
from services.gateway.api.command_bodies import BODIES, Signed, check
from services.gateway.api.cutover_answers import answer_of, location_of
from services.gateway.api.cutover_responses import Backups, Waiting
from services.gateway.api.decision_bodies import described as described_body
from services.gateway.auth.audit import Access
from services.gateway.auth.authorisation import require
from services.gateway.auth.caller import Caller
from services.gateway.bodies import LONGEST, LONGEST_BULK, body_of
from services.gateway.context import GatewayContext, answer
from services.gateway.dependencies import Context, needs
from services.gateway.idempotency_header import IdempotencyKey, key_of
from services.gateway.problems import described
from services.gateway.requests import CommandRequest
from shared.runtime.http_metrics import template

_LATER: dict[int | str, dict[str, Any]] = {
    202: {"model": Waiting, "description": "Asked; the service has not answered yet"}
}
_NOT_BY_ALL: dict[int | str, dict[str, Any]] = {202: {"model": Backups, "description": "Not noted by all yet"}}
_LANGUAGE = "lang"
"""In which language refusals are told: every route takes it."""

Endpoint = Callable[..., Any]


def routes(operations: Iterable[Operation]) -> APIRouter:
    """A route for each operation, and for each service where the path names none."""
    router = APIRouter()
    for operation in operations:
        for path, service in _paths(operation):
            _add(router, operation, path, service)
        if operation.former_path is not None:
            _add(router, operation, operation.former_path, None, deprecated=True)
    return router


def _paths(operation: Operation) -> list[tuple[str, str | None]]:
    """Each path, and the service that it stands for; None where the request says it, or all are asked."""
    if operation.about_system or operation.asks_every_service:
        return [(operation.path, None)]
    return [(operation.path.replace("{service}", service), service) for service in operation.services]


def _add(
    router: APIRouter, operation: Operation, path: str, service: str | None, *, deprecated: bool | None = None
) -> None:
    body = BODIES[operation.name] if operation.kind == "command" else None
    router.add_api_route(
        path,
        _endpoint(operation, service, body),
        methods=[operation.method],
        name=operation.name.replace("-", "_"),
        deprecated=deprecated,
        description=operation.summary,
        tags=["cutover" if operation.about_system or service is None else service],
        response_model=Backups if operation.asks_every_service else operation.answer,
        responses=_responses(operation),
        openapi_extra=None if body is None else described_body(body),
    )


def _responses(operation: Operation) -> dict[int | str, dict[str, Any]]:
    if operation.kind == "query":
        return described(404, 409, 503)
    if operation.asks_every_service:
        return described(409, 413, 503) | _NOT_BY_ALL
    return described(404, 409, 413, 503) | _LATER


# --- what FastAPI is told of an endpoint ---------------------------------------------------------------------------


def _endpoint(operation: Operation, service: str | None, body: type[Signed] | None) -> Endpoint:
    """One function for all: its signature says which parameters this operation has."""
    ask = _query if body is None else _command_to_all if operation.asks_every_service else _command

    async def endpoint(**given: Any) -> Response:
        return await ask(operation, **({"service": service} if service else {}), **given)

    parameters = [*_asker(operation), *_from_path(operation), *_arguments(operation, body), *_body(body)]
    endpoint.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    return endpoint


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _asker(operation: Operation) -> Iterable[inspect.Parameter]:
    yield _parameter("request", Request)
    yield _parameter("context", Context)
    yield _parameter("caller", Annotated[Caller, Security(needs(*operation.rights))])


def _from_path(operation: Operation) -> Iterable[inspect.Parameter]:
    if operation.about_system:
        yield _parameter("cluster", str)
        yield _parameter("service", str)


def _arguments(operation: Operation, body: type[Signed] | None) -> Iterable[inspect.Parameter]:
    """Those in the path, and of a query those behind the question mark."""
    for name, field in operation.arguments.model_fields.items():
        if f"{{{name}}}" in operation.path:
            yield _parameter(name, _annotated(field, Path(description=field.description)))
        elif body is None:
            default = inspect.Parameter.empty if field.is_required() else field.default
            yield _parameter(name, _annotated(field, Query(alias=field.alias, description=field.description)), default)


def _annotated(field: FieldInfo, how: Any) -> Any:
    return Annotated[field.annotation, *field.metadata, how]


def _body(body: type[Signed] | None) -> Iterable[inspect.Parameter]:
    # After the caller: nobody without a key sends us anything.
    if body is not None:
        # A message that goes inside another is longer there: its quotation marks are escaped.
        longest = LONGEST_BULK if "body" in body.model_fields else LONGEST
        yield _parameter("body", Annotated[body, Depends(body_of(body, longest))])
        yield _parameter("idempotency_key", IdempotencyKey, None)


# --- asking --------------------------------------------------------------------------------------------------------


async def _query(
    operation: Operation, *, request: Request, context: GatewayContext, caller: Caller, service: str, **given: Any
) -> Response:
    _refuse_unknown(request, operation)
    cluster: str | None = given.pop("cluster") if operation.about_system else None
    if cluster is not None:
        context.check_system(cluster, service)
    content = await queries.ask(context, caller, operation, service, cluster, _checked(operation, given))
    if operation.name == PARITY.name:
        _values_of_persons(context, caller, f"parity:{cluster}/{service}", request, content)
    return answer(content)


def _values_of_persons(
    context: GatewayContext, caller: Caller, about: str, request: Request, content: dict[str, Any]
) -> None:
    """Differences have members' values: whoever may read persons' data leaves a trace, and others see none."""
    if not caller.may("read-persons"):
        content["differences"] = [_without_values(each) for each in content["differences"]]
    elif content["differences"]:
        context.audit.read(caller, "read-persons", about, template(request.scope))


def _without_values(difference: Mapping[str, Any]) -> dict[str, Any]:
    """Where two sides differ, and not in what: who looks after the installation need not know members.

    What is wrong with a row may quote it.
    """
    return {name: None if name in ("there", "here", "why") else value for name, value in difference.items()}


async def _command(
    operation: Operation,
    *,
    request: Request,
    context: GatewayContext,
    caller: Caller,
    service: str,
    body: Signed,
    idempotency_key: str | None,
    cluster: str | None = None,
    **given: Any,
) -> Response:
    right = operation.right_at(service)
    if cluster is not None:
        check(body, context.check_system(cluster, service))
        require(caller, right, cluster)
    for name, more in operation.more_rights.items():
        if getattr(body, name, None) is not None:
            require(caller, more)
    asked = _asked(operation, service, cluster, caller, body, given)
    about = ":".join(("operation", service, operation.name, *map(str, given.values())))
    access = Access(caller, right, about, cluster, "asked", asked.reason)
    key = key_of(request, caller, body, idempotency_key)
    (sent,) = await commands.send(context, [asked], key, access, waits=not _is_asynchronous(request))
    if sent.outcome is None:
        location = location_of(sent.request_id)
        waiting = {"id": sent.request_id, "state": "waiting", "location": location}
        return answer(waiting, {"location": location, "retry-after": "1"}, 202)
    return answer(answer_of(sent))


def _is_asynchronous(request: Request) -> bool:
    """Whether whoever asks would rather be told where to ask later than wait (RFC 7240, section 4.1)."""
    preferences = request.headers.get("prefer", "").split(",")
    return "respond-async" in (each.partition(";")[0].strip().lower() for each in preferences)


async def _command_to_all(
    operation: Operation,
    *,
    request: Request,
    context: GatewayContext,
    caller: Caller,
    body: Signed,
    idempotency_key: str | None,
) -> Response:
    """Every service that has a former system is asked; the answer says which have done it."""
    services = sorted({name for cluster in context.policy.clusters.values() for name in cluster.services})
    asked = [_asked(operation, service, None, caller, body, {}) for service in services]
    access = Access(caller, operation.right, f"operation:{operation.name}", outcome="asked")
    sent = await commands.send(context, asked, key_of(request, caller, body, idempotency_key), access)
    noted = [each.service for each in sent if each.outcome is not None and answer_of(each)]
    waiting = [location_of(each.request_id) for each in sent if each.outcome is None]
    return answer({"noted": noted, "waiting": waiting}, status=202 if waiting else 200)


def _asked(
    operation: Operation, service: str, cluster: str | None, caller: Caller, body: Signed, given: Mapping[str, Any]
) -> CommandRequest:
    named = {name: getattr(body, name) for name in operation.arguments.model_fields if name not in given}
    arguments = _checked(operation, {**named, **given})
    author = commands.signed_by(caller, body.author)
    reason: str | None = getattr(body, "reason", None)
    return CommandRequest(
        service=service,
        cluster=cluster,
        operation=operation.name,
        arguments=arguments.model_dump(mode="json", by_alias=True),
        author=author,
        key_id=caller.key_id,
        key_name=commands.key_name_of(caller),
        reason=reason,
    )


def _checked(operation: Operation, given: Mapping[str, Any]) -> Arguments:
    """Raises RequestValidationError for arguments that fit each by itself, and not together."""
    try:
        return operation.arguments(**given)
    except ValidationError as error:
        faults = [{"loc": ("query", *fault["loc"]), "msg": fault["msg"]} for fault in error.errors()]
        raise RequestValidationError(faults) from None


def _refuse_unknown(request: Request, operation: Operation) -> None:
    """Raises RequestValidationError for a parameter that the operation has not, unless it takes no notice of such."""
    if operation.arguments.model_config.get("extra") != "forbid":
        return
    known = {field.alias or name for name, field in operation.arguments.model_fields.items()} | {_LANGUAGE}
    if unknown := sorted(set(request.query_params) - known):
        raise RequestValidationError([{"loc": ("query", name), "msg": "is no parameter here"} for name in unknown])


# Made once: it takes ten times as long as all else of the gateway.
router = routes(OPERATIONS)
