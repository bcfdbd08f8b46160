"""The way out of every answer below ``/console``: strict headers, problems as pages, HTML with gzip."""

import gzip
from collections.abc import Mapping, Sequence
from typing import Final

import orjson
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.console.errors import PROBLEM, error_page
from services.gateway.console.guard import Guard
from services.gateway.console.headers import SECURE, STRICT, content_policy
from services.gateway.console.session import forget_person
from services.gateway.problems import ProblemError, refuse

_LEVEL: Final = 6
_SMALLEST: Final = 600
"""Bytes: below that gzip gains nothing."""


class Outside:
    """An ASGI app in front of the gateway's own."""

    def __init__(self, app: ASGIApp, guard: Guard, form_targets: Sequence[str] = ()) -> None:
        self._app, self._guard = app, guard
        strict = STRICT | {"content-security-policy": content_policy(form_targets)}
        self._headers = strict | SECURE if guard.is_secure else strict

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and (scope["path"] == "/console" or scope["path"].startswith("/console/")):
            answering = _Answering(scope, receive, send, self._headers)
            kind = self._guard.refusal(scope["method"], Headers(scope=scope))
            app = self._app if kind is None else _refusing(kind)
            await app(scope, receive, answering.send)
        else:
            await self._app(scope, receive, send)


class _Answering:
    """One answer on its way. A page is collected and leaves whole, anything else as it comes."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str]) -> None:
        self._scope, self._receive, self._send, self._headers = scope, receive, send, headers
        self._start: Message | None = None
        self._type = ""
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._type = Headers(raw=message["headers"]).get("content-type", "").partition(";")[0]
            if self._type in ("text/html", PROBLEM):
                self._start = message
            else:
                await self._send(self._strict(message))
        elif self._start is None:
            await self._send(message)
        else:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body"):
                await self._leave(self._start, b"".join(self._parts))

    async def _leave(self, start: Message, body: bytes) -> None:
        if self._type == PROBLEM:
            request = Request(self._scope)
            retry_after = Headers(raw=start["headers"]).get("retry-after")
            response = await error_page(request, start["status"], orjson.loads(body), retry_after)
            start = {"type": start["type"], "status": response.status_code, "headers": response.raw_headers}
            body = bytes(response.body)
        headers = MutableHeaders(raw=list(start["headers"]))
        headers.add_vary_header("accept-encoding")
        if len(body) >= _SMALLEST and "gzip" in Headers(scope=self._scope).get("accept-encoding", ""):
            body = gzip.compress(body, _LEVEL, mtime=0)
            headers["content-encoding"] = "gzip"
        headers["content-length"] = str(len(body))
        await self._send(self._strict({**start, "headers": headers.raw}))
        await self._send({"type": "http.response.body", "body": body})

    def _strict(self, start: Message) -> Message:
        headers = MutableHeaders(raw=list(start["headers"]))
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        return {**start, "headers": headers.raw}


def _refusing(kind: str) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # Nobody is looked up for a request that may not come in: its page stands alone.
        forget_person(scope)
        await refuse(Request(scope), ProblemError(kind))(scope, receive, send)

    return app
