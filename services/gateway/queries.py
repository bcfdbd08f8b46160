"""Queries to services: asked over the broker, answered within seconds, and kept nowhere."""

from typing import Any

import orjson
import structlog

from schemas.operation import Arguments, Operation, Question
from services.gateway.api.cutover_answers import refused
from services.gateway.auth.caller import Caller
from services.gateway.context import GatewayContext
from services.gateway.problems import RETRY_SECONDS, ProblemError
from shared.messaging.rpc_client import ServiceAwayError
from shared.messaging.waiting import BrokerUnavailableError

log = structlog.get_logger()

_LATER = {"retry-after": str(RETRY_SECONDS)}


async def ask(
    context: GatewayContext,
    caller: Caller,
    operation: Operation,
    service: str,
    cluster: str | None,
    arguments: Arguments,
) -> dict[str, Any]:
    """What the service answers. Raises ProblemError: its refusal, or that it is away."""
    return await ask_for(context, caller.key_id, operation, service, cluster, arguments)


async def ask_for(
    context: GatewayContext,
    author: str,
    operation: Operation,
    service: str,
    cluster: str | None,
    arguments: Arguments,
) -> dict[str, Any]:
    """The same for somebody without a key: ``author`` says which page asks. Raises ProblemError."""
    question = Question(
        operation=operation.name,
        cluster=cluster,
        arguments=arguments.model_dump(mode="json", by_alias=True),
        author=author,
    )
    try:
        reply = await context.rpc.ask(service, question.model_dump_json().encode())
    except ServiceAwayError as error:
        raise _away(service, str(error)) from None
    except BrokerUnavailableError as error:
        raise ProblemError("broker-unavailable", headers=_LATER, detail=str(error), service=service) from None
    log.info("query.asked", service=service, operation=operation.name, key_id=author, outcome=reply.kind)
    match reply.kind:
        case "done":
            return orjson.loads(reply.body)
        case "refused":
            raise refused(orjson.loads(reply.body))
        case "away":
            raise _away(service, f"the database of {service} does not answer")
        case "failed":
            raise ProblemError("service-failed", service=service)


def _away(service: str, detail: str) -> ProblemError:
    return ProblemError("service-away", headers=_LATER, detail=detail, service=service)
