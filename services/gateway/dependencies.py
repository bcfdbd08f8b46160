"""What endpoints are given: the context that the app was built with, and whoever asks."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from schemas.rights import Right
from services.gateway.auth.authorisation import BEARER, HEADER, caller_of, require, require_fresh
from services.gateway.auth.caller import Caller
from services.gateway.auth.rights import RIGHTS
from services.gateway.context import GatewayContext
from services.gateway.openapi import CLUSTERS
from services.gateway.problems import ProblemError
from shared.runtime.http_metrics import template

_NOTED: Final = frozenset[Right](("read-persons", "read-parked", "read-audit"))
"""Whoever looks at these leaves a trace."""

OPEN: Final = ("/p/", "/health/", "/metrics", "/openapi.json", "/console")
"""Routes below these need no right of the API: pages for everybody, and the console, which asks the API itself."""


async def context_of(request: Request) -> GatewayContext:
    """What the app was built with. Not a plain function: FastAPI would call it in a thread, at every request."""
    return request.app.state.context


Context = Annotated[GatewayContext, Depends(context_of)]

Authorise = Callable[..., Awaitable[Caller]]
_rights_of: dict[Authorise, tuple[Right, ...]] = {}


def needs(*rights: Right) -> Authorise:
    """A dependency that lets those through who have one of these rights. Raises ProblemError for others."""

    async def authorise(
        request: Request, context: Context, _bearer: object = Security(BEARER), _key: object = Security(HEADER)
    ) -> Caller:
        caller = await caller_of(request, context.callers, context.limits)
        right = _first(caller, rights)
        route = template(request.scope)
        try:
            require(caller, right)
            if request.method not in ("GET", "HEAD"):
                require_fresh(caller, right)
        except ProblemError as problem:
            context.audit.refused(caller, right, route, problem.kind)
            raise
        if right in _NOTED:
            context.audit.read(caller, right, about(request, route), route)
        return caller

    _rights_of[authorise] = rights
    return authorise


def _first(caller: Caller, rights: Sequence[Right]) -> Right:
    for right in rights:
        if caller.may(right):
            return right
    return rights[0]


def about(request: Request, route: str) -> str:
    """Whom or what a request is about: a member, a record, else its route with the ids that stand in it."""
    asked = request.path_params
    if (member_id := asked.get("member_id")) is not None:
        return f"member:{member_id}"
    if "record_id" in asked and "cluster" in asked:
        return f"record:{asked['cluster']}/{asked['record_id']}"
    for name, value in asked.items():
        route = route.replace(f"{{{name}}}", str(value))
    return route


BY_RIGHT: Final = {right: needs(right) for right in RIGHTS}
"""One dependency for each right."""


def having(right: Right) -> list[Any]:
    """For routes that need not know who asks: ``dependencies=having("read-members")``."""
    return [Security(BY_RIGHT[right])]


READS_MEMBERS = having("read-members")
READS_PERSONS = having("read-persons")
SEES_CONFLICTS = having("see-conflicts")
SEES_CUTOVER = having("see-cutover")

Reader = Annotated[Caller, Security(BY_RIGHT["read-members"])]
PersonsReader = Annotated[Caller, Security(BY_RIGHT["read-persons"])]
Decider = Annotated[Caller, Security(BY_RIGHT["decide-identity"])]
ValueSetter = Annotated[Caller, Security(BY_RIGHT["set-values"])]
RecordWriter = Annotated[Caller, Security(BY_RIGHT["write-records"])]
CutoverReader = Annotated[Caller, Security(BY_RIGHT["see-cutover"])]
AccessGiver = Annotated[Caller, Security(BY_RIGHT["give-access"])]


def rights_of(route: BaseRoute) -> tuple[Right, ...]:
    """The rights of which a route needs one; none where it asks for no right."""
    return next(_among(route.dependant), ()) if isinstance(route, APIRoute) else ()


def _among(dependant: Dependant) -> Iterator[tuple[Right, ...]]:
    for part in dependant.dependencies:
        if part.call is not None and part.call in _rights_of:
            yield _rights_of[part.call]
        yield from _among(part)


def refuse_without_right(routes: Iterable[BaseRoute]) -> None:
    """Raises AssertionError for a route that anybody could ask: an app with such a one must not start."""
    for route in routes:
        path: str = getattr(route, "path", "")
        assert path.startswith(OPEN) or rights_of(route), f"{path} names no right"


def rights_by_route(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], tuple[Right, ...]]:
    """The rights of which each route needs one, by path and method, for those that are in the contract."""
    return {
        (route.path_format, method): rights_of(route)
        for route in routes
        if isinstance(route, APIRoute) and route.include_in_schema and rights_of(route)
        for method in route.methods or ()
    }


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
