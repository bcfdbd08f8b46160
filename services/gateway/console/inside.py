"""Asks our own API, in this process, as the person who is signed in: the only way from a page to data.

So rights, refusals, ETags, idempotency and audit exist once, and a tool can do whatever a page can.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson
from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.auth.caller import CALLER, Caller
from services.gateway.console.session import language_of
from services.gateway.problems import TYPE

_Headers = list[tuple[bytes, bytes]]
Params = Mapping[str, str | int | bool | Sequence[str] | None]
_SAFE: Final = "/:@!$&'()*+,;=~"


class RefusedError(Exception):
    """The API refused what a page asked for; ``problem`` is its answer (RFC 9457), in the page's language."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: str | None = None) -> None:
        super().__init__(problem.get("type", status))
        self.status, self.problem, self.retry_after = status, problem, retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered; ``json`` is None where it was no JSON. Header names are in lower case."""

    status: int
    json: Any
    etag: str | None
    headers: Mapping[str, str]

    @property
    def is_refusal(self) -> bool:
        """Whether it is a problem."""
        return self.status >= 400

    def is_problem(self, *kinds: str) -> bool:
        """Whether it was refused as one of these."""
        return self.is_refusal and (self.json or {}).get("type") in [f"{TYPE}{kind}" for kind in kinds]

    def value(self) -> Any:
        """The JSON. Raises RefusedError where the API refused."""
        if self.is_refusal:
            raise RefusedError(self.status, self.json or {}, self.headers.get("retry-after"))
        return self.json


class Inside:
    """``await Inside(request, person).get("/members", {"search": "lyon"})``."""

    def __init__(self, request: Request, person: Caller) -> None:
        self._app: ASGIApp = request.app
        self._scope: Scope = request.scope
        self._person = person
        self._language = language_of(request)

    async def get(self, path: str, params: Params | None = None) -> Answer:
        """Read something. A parameter that is None or empty is left out."""
        return await self._ask("GET", path, _query(params or {}), b"", ())

    async def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """Have something done: ``body`` goes as JSON; ``headers`` such as ``idempotency-key`` or ``if-match``."""
        return await self._ask("POST", path, b"", orjson.dumps(body), (headers or {}).items())

    async def put(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """The same, with PUT."""
        return await self._ask("PUT", path, b"", orjson.dumps(body), (headers or {}).items())

    async def patch(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """The same, with PATCH."""
        return await self._ask("PATCH", path, b"", orjson.dumps(body), (headers or {}).items())

    def passing(self, path: str, params: Params | None = None) -> Response:
        """The API's answer itself, as it comes: for downloads, which may be long."""
        return _Passing(self._app, self._inner("GET", path, _query(params or {}), b"", ()))

    async def _ask(self, method: str, path: str, query: bytes, body: bytes, headers: Any) -> Answer:
        collected = _Collected(body)
        try:
            await self._app(self._inner(method, path, query, body, headers), collected.receive, collected.send)
        except Exception:
            # What the API failed at it has answered, and logged, before it lets it through.
            if collected.status < 500:
                raise
        return collected.answer()

    def _inner(self, method: str, path: str, query: bytes, body: bytes, headers: Any) -> Scope:
        sent: _Headers = [(b"accept-language", self._language.encode()), (b"host", b"inside")]
        if body:
            sent += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        sent += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": quote(path, safe=_SAFE).encode(),
            "query_string": query,
            "root_path": "",
            "headers": sent,
            "client": self._scope.get("client"),
            "server": None,
            "state": self._scope.get("state", {}),
            CALLER: self._person,
        }


class _Collected:
    """One request's body, and its answer once that is whole."""

    def __init__(self, body: bytes) -> None:
        self.status = 0
        self._headers: dict[str, str] = {}
        self._sent: list[bytes] = []
        self._body: bytes | None = body

    async def receive(self) -> Message:
        if self._body is None:
            # Nobody hangs up in here; whoever waits for that waits until the answer is there.
            await asyncio.get_running_loop().create_future()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            self._sent.append(message.get("body", b""))

    def answer(self) -> Answer:
        is_json = "json" in self._headers.get("content-type", "")
        content = b"".join(self._sent)
        json = orjson.loads(content) if is_json and content else None
        return Answer(self.status, json, self._headers.get("etag"), self._headers)


class _Passing(Response):
    """An answer that another ASGI call gives."""

    def __init__(self, app: ASGIApp, inner: Scope) -> None:
        super().__init__()
        self._app, self._inner = app, inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(self._inner, receive, send)


def _query(params: Params) -> bytes:
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        match value:
            case None | "":
                continue
            case bool():
                pairs.append((name, str(value).lower()))
            case str() | int():
                pairs.append((name, str(value)))
            case _:
                pairs += [(name, item) for item in value]
    return urlencode(pairs).encode()
