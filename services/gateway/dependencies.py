"""What endpoints are given: the context that the app was built with, and whoever asks."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.exceptions import RequestValidationError

from services.gateway.auth.key_cache import BEARER, HEADER, Caller, authorised
from services.gateway.auth.keys import Role
from services.gateway.context import GatewayContext
from services.gateway.openapi import CLUSTERS


async def context_of(request: Request) -> GatewayContext:
    """What the app was built with. Not a plain function: FastAPI would call it in a thread, at every request."""
    return request.app.state.context


Context = Annotated[GatewayContext, Depends(context_of)]


def allowed(role: Role) -> Callable[..., Awaitable[Caller]]:
    """A dependency that lets callers of at least a role through."""

    async def caller(
        request: Request, context: Context, _bearer: object = Security(BEARER), _key: object = Security(HEADER)
    ) -> Caller:
        return await authorised(request, context.keyring, role)

    return caller


BY_ROLE = {role: allowed(role) for role in Role}
"""One dependency for each role."""

READER = [Security(BY_ROLE[Role.READER])]
STAFF = [Security(BY_ROLE[Role.STAFF])]
"""The same for routes that need not know who asks: ``dependencies=STAFF``."""
Reader = Annotated[Caller, Security(BY_ROLE[Role.READER])]
Staff = Annotated[Caller, Security(BY_ROLE[Role.STAFF])]
"""Whoever asks, with a key of at least this role."""


def may_read_persons(caller: Caller) -> bool:
    """Whether persons' data may be shown to, and searched for, whoever asks."""
    return caller.may(Role.STAFF)


After = Annotated[str | None, Query(max_length=4_000, description="`next` of the page before")]
Lang = Annotated[str | None, Query(description="fr or en; otherwise Accept-Language decides")]
KnownCluster = Annotated[str | None, Query(json_schema_extra={"enum": CLUSTERS})]
"""One of this installation's clusters: ``check_cluster`` refuses others."""


def check_cluster(context: GatewayContext, cluster: str | None) -> str | None:
    """The cluster itself. Raises RequestValidationError where this installation has none such."""
    if cluster is not None and cluster not in context.policy.clusters:
        message = f"there is no such cluster; there are {', '.join(sorted(context.policy.clusters))}"
        raise RequestValidationError([{"loc": ("query", "cluster"), "msg": message}])
    return cluster
