"""Liveness, readiness and metrics over HTTP, the same for every service."""

from collections.abc import Awaitable, Callable, Collection, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

Checks = Callable[[], Awaitable[Mapping[str, bool]]]
"""Names what must work for this process to be of use, and whether it does."""
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers of which every usual proxy and Ingress sends one at least."""


def health_routes(checks: Checks, needed: Collection[str] | None = None) -> list[Route]:
    """``/health/live`` (this process answers), ``/health/ready`` (so do its parts; else 503) and ``/metrics``.

    ``needed`` names the checks without which nobody can be answered, None all of them; the others are told, and turn
    nobody away.
    """

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(_: Request) -> Response:
        results = await checks()
        works = all(works for check, works in results.items() if needed is None or check in needed)
        return JSONResponse(
            {"status": "ready" if works else "not ready", "checks": dict(results)}, 200 if works else 503
        )

    async def metrics(request: Request) -> Response:
        # They name clusters, and say how work goes. Whoever scrapes asks us directly; proxies name whom they ask for.
        if any(name in request.headers for name in FORWARDED):
            return PlainTextResponse("Metrics are not answered through a proxy: ask the service itself.\n", 403)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics)]
