"""How long HTTP answers take, by route, method and status."""

from collections.abc import MutableMapping
from time import perf_counter
from typing import Any

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Histogram(
    "traboule_http_request_seconds",
    "Time until an HTTP request was answered whole",
    ["route", "method", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ROUTE = "traboule.route"
"""Key of the ASGI scope under which whoever answers before the router says which route that was."""
PLAIN = frozenset({"/health/live", "/health/ready", "/metrics", "/openapi.json"})
"""Paths that are their own template, and that the framework tells no route of."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Measured:
    """An ASGI app whose requests are counted and timed. A path is told as its template, never with its ids."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # The children of a metric by their labels: looking one up there takes longer than observing.
        self._children: dict[tuple[str, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._observe(scope, status, perf_counter() - started)

    def _observe(self, scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
        key = (template(scope), scope["method"] if scope["method"] in METHODS else "other", status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = REQUESTS.labels(key[0], key[1], str(status))
        child.observe(seconds)


def template(scope: MutableMapping[str, Any]) -> str:
    """The route that a request matched, such as ``/members/{member_id}``, without anybody's ids."""
    route = scope.get(ROUTE) or getattr(scope.get("route"), "path", None)
    if isinstance(route, str):
        return route
    # What no route matches is one label: anybody may ask for any path.
    return scope["path"] if scope["path"] in PLAIN else "unmatched"
