"""What endpoints are given: the context that the app was built with, and whoever asks."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security

from services.gateway.auth.key_cache import BEARER, HEADER, Caller, authorised
from services.gateway.auth.keys import Role
from services.gateway.context import GatewayContext


def context_of(request: Request) -> GatewayContext:
    """What the app was built with."""
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
