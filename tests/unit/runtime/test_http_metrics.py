"""HTTP answers are timed by route, method and status; no path with somebody's id in it becomes a label."""

import asyncio
from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.auth.caller import Caller, Grant
from services.gateway.auth.request_limits import request_limits
from services.gateway.auth.rights import Role
from services.gateway.fast_path import FastPath
from shared.runtime.http_metrics import Measured

MEMBER = "4f0c12ab-0000-5000-8000-000000000001"


class KnowsEveryKey:
    """A context whose callers are all who ask; nobody may read persons."""

    limits = request_limits()

    @property
    def callers(self) -> "KnowsEveryKey":
        return self

    def known(self, key: str) -> Caller:
        return Caller(key, "a test", frozenset({Grant(Role.READER)}), b"", 0.0)


class HoldsOneMember:
    async def get(self, member_id: str) -> tuple[str, bytes] | None:
        return ("etag", b'{"sources": []}') if member_id == MEMBER else None


def ask(app: ASGIApp, path: str, method: str = "GET") -> None:
    """One request, its answer thrown away."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        return None

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": [(b"authorization", b"Bearer a-key")], "http_version": "1.1", "scheme": "http",
             "root_path": ""}  # fmt: skip

    async def answered() -> None:
        await app(scope, receive, send)

    asyncio.run(answered())


def count(route: str, status: str, method: str = "GET") -> float:
    labels = {"route": route, "method": method, "status": status}
    return REGISTRY.get_sample_value("traboule_http_request_seconds_count", labels) or 0


async def fails(_: Request) -> Response:
    raise RuntimeError("broken")


async def works(_: Request) -> Response:
    return PlainTextResponse("")


def app() -> ASGIApp:
    return Measured(Starlette(routes=[Route("/health/live", works), Route("/broken/{id}", fails)]))


def test_a_path_that_nothing_answers_is_one_label_whatever_it_says() -> None:
    before = count("unmatched", "404")
    for name in ("jeanne.martin@example.org", "33"):
        ask(app(), f"/people/{name}")
    assert count("unmatched", "404") == before + 2
    series = {sample.labels.get("route", "") for metric in REGISTRY.collect() for sample in metric.samples}
    assert not any("jeanne" in route for route in series)


def test_health_and_metrics_are_told_apart_from_the_rest() -> None:
    before = count("/health/live", "200")
    ask(app(), "/health/live")
    assert count("/health/live", "200") == before + 1


def test_an_app_that_raises_counts_as_500() -> None:
    before = count("/broken/{id}", "500")
    with pytest.raises(RuntimeError, match="broken"):
        ask(app(), "/broken/12")
    assert count("/broken/{id}", "500") == before + 1


def test_a_method_that_nobody_knows_is_no_label_of_its_own() -> None:
    before = count("unmatched", "404", "other")
    ask(app(), "/nothing", "BREW")
    assert count("unmatched", "404", "other") == before + 1


def test_what_is_answered_before_the_router_has_the_router_s_label() -> None:
    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("the fast lane answers this")

    before = count("/members/{member_id}", "200")
    context: Any = KnowsEveryKey()
    lookups: Any = HoldsOneMember()
    ask(Measured(FastPath(behind, context, lookups)), f"/members/{MEMBER}")
    assert count("/members/{member_id}", "200") == before + 1
