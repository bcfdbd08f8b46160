"""Whether whoever sent a request may do what it asks for."""

from time import monotonic

from fastapi import Request
from fastapi.security import APIKeyHeader, HTTPBearer

from schemas.rights import Right
from services.gateway.auth.caller import CALLER, Caller
from services.gateway.auth.caller_cache import CallerCache
from services.gateway.auth.request_limits import RequestLimits
from services.gateway.auth.rights import FRESH, roles_with
from services.gateway.problems import ProblemError

BEARER = HTTPBearer(auto_error=False, description="`Authorization: Bearer trb_…`", scheme_name="Bearer key")
HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="API key")


async def caller_of(request: Request, callers: CallerCache, limits: RequestLimits) -> Caller:
    """Whoever sent the request: the console's person, or the holder of a key. Raises ProblemError.

    What a page asks for is counted where its own request came in.
    """
    if (inside := request.scope.get(CALLER)) is not None:
        return inside
    key = presented(request.headers.get("authorization"), request.headers.get("x-api-key"))
    if key is None:
        raise ProblemError("key-missing", headers={"www-authenticate": 'Bearer realm="Traboule"'})
    caller = await callers.find(key)
    if caller is None:
        challenge = 'Bearer realm="Traboule", error="invalid_token"'
        raise ProblemError("invalid-key", headers={"www-authenticate": challenge})
    limits.check_key(caller)
    return caller


def require(caller: Caller, right: Right, *clusters: str) -> None:
    """Raises ProblemError unless the right is there, and in one of these clusters if any is named."""
    if not caller.may(right):
        raise ProblemError("right-missing", right=right, roles=[role.value for role in roles_with(right)])
    if clusters and not caller.may_in_any(right, clusters):
        raise ProblemError("cluster-not-yours", right=right, clusters=sorted(set(clusters)))


def require_fresh(caller: Caller, right: Right) -> None:
    """Raises ProblemError where a person who is to change something signed in too long ago for that."""
    if right in FRESH and caller.session is not None and caller.session.fresh_until <= monotonic():
        raise ProblemError("sign-in-again", right=right)


def presented(authorization: str | None, api_key: str | None) -> str | None:
    """The key in a request's headers."""
    if authorization is not None:
        scheme, _, key = authorization.partition(" ")
        return key.strip() if scheme.lower() == "bearer" and key.strip() else None
    return api_key or None


def author_of(caller: Caller, named: str | None) -> str:
    """Who decides it: a person always themselves.

    Raises ProblemError where somebody else is named, and the key does not sign for others.
    """
    if named is None or named == caller.name:
        return caller.name
    if not caller.signs_for_others:
        raise ProblemError("author-not-yours")
    return named
