"""``GET /members/<id>`` without ceremony, for it is what is asked most.

It answers only the common case: a usable key, and a member's current id. For anything else it stands aside, and the
app behind it finds out what is the matter.
"""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.auth.authorisation import presented
from services.gateway.context import GatewayContext
from services.gateway.lookups import Lookups
from services.gateway.without_persons import document_for, etag_for
from services.membership.connections import DatabaseUnavailableError
from shared.runtime.http_metrics import ROUTE

_PATH = re.compile(r"/members/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
_ROUTE = "/members/{member_id}"
_CACHE = (b"cache-control", b"private, no-cache")


class FastPath:
    """The app, with a short way to single members in front."""

    def __init__(self, app: ASGIApp, context: GatewayContext, lookups: Lookups) -> None:
        self._app, self._context, self._lookups = app, context, lookups

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and scope["method"] == "GET":
            path = _PATH.fullmatch(scope["path"])
            if path is not None and await self._serve(path[1], scope, send):
                scope[ROUTE] = _ROUTE
                return
        await self._app(scope, receive, send)

    async def _serve(self, member_id: str, scope: Scope, send: Send) -> bool:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        key = presented(_text(headers.get(b"authorization")), _text(headers.get(b"x-api-key")))
        caller = None if key is None else self._context.callers.known(key)
        if caller is None or not caller.may("read-members"):
            return False
        # Beyond it the long way has its own, and says so.
        if not self._context.limits.members.allows(caller.key_id):
            return False
        try:
            result = await self._lookups.get(member_id)
        except DatabaseUnavailableError:
            return False
        if result is None:
            return False
        etag, document = result
        if caller.may("read-persons"):
            self._context.audit.read(caller, "read-persons", f"member:{member_id}", _ROUTE)
        quoted = b'"' + etag_for(caller, etag).encode() + b'"'
        if unchanged(headers.get(b"if-none-match"), quoted):
            await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", quoted), _CACHE]})
            await send({"type": "http.response.body", "body": b""})
            return True
        document = document_for(caller, document)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"application/json"),
                    (b"content-length", str(len(document)).encode()),
                    (b"etag", quoted),
                    _CACHE,
                ],
            }
        )
        await send({"type": "http.response.body", "body": document})
        return True


def unchanged(if_none_match: bytes | None, quoted_etag: bytes) -> bool:
    """Whether the caller has this version already (RFC 9110, 13.1.2)."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == b"*" or quoted_etag in (
        body.strip().removeprefix(b"W/") for body in if_none_match.split(b",")
    )


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
