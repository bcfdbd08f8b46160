"""What stood in a record before an edit, so that the edit can be undone: sealed in the editor's own browser.

Histories keep the names of the fields that changed and never values, and so does this: the cookie is readable with the
session's token alone, so it ends with the session, and after ten minutes.
"""

import zlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import orjson
from cryptography.fernet import Fernet, InvalidToken
from fastapi import Request
from starlette.responses import Response

from services.gateway.console.mounted import clock
from services.gateway.console.session import token_of

COOKIE: Final = "traboule-former"
SECONDS: Final = 600
"""So long an edit can be undone."""
LONGEST: Final = 3_800
"""Characters of a cookie: browsers keep 4,096 with its name and all that it says of itself (RFC 6265, 6.1)."""
_MOST_BYTES: Final = 1_048_576
_PATH: Final = "/console/membres"


@dataclass(frozen=True, slots=True)
class Former:
    """What an edit of a record replaced. ``patch`` brings it back; ``saved`` is what it replaced it with.

    ``etag`` is that of the record as the edit left it.
    """

    record: str
    etag: str
    patch: Mapping[str, Any]
    saved: Mapping[str, Any]


def former_of(record: str, etag: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Former | None:
    """What an edit replaced, of a record's fields before and after it; None where it changed nothing."""
    names = sorted(name for name in {*before, *after} - {"modified_on"} if before.get(name) != after.get(name))
    if not names:
        return None
    return Former(record, etag, {name: before.get(name) for name in names}, {name: after.get(name) for name in names})


def fits(request: Request, former: Former) -> bool:
    """Whether a browser would keep it."""
    return len(_sealed(request, former)) <= LONGEST


def keep(request: Request, response: Response, former: Former | None) -> None:
    """Let the browser keep what an edit replaced; None, or what is too long, takes away what it kept before."""
    sealed = "" if former is None else _sealed(request, former)
    if former is None or len(sealed) > LONGEST:
        response.delete_cookie(COOKIE, path=_PATH, secure=True, httponly=True, samesite="strict")
        return
    response.set_cookie(COOKIE, sealed, max_age=SECONDS, path=_PATH, secure=True, httponly=True, samesite="strict")


def kept(request: Request, record: str) -> Former | None:
    """What the last edit of this session replaced, if it was an edit of this record and not long ago."""
    sealed = request.cookies.get(COOKIE, "")
    try:
        document = _seal(request).decrypt_at_time(sealed.encode(), SECONDS, _now(request))
        former = Former(**orjson.loads(zlib.decompressobj().decompress(document, _MOST_BYTES)))
    except (InvalidToken, ValueError, TypeError, zlib.error):
        # Whoever has the session's token can seal anything.
        return None
    return former if former.record == record else None


def _sealed(request: Request, former: Former) -> str:
    packed = zlib.compress(orjson.dumps(former))
    return _seal(request).encrypt_at_time(packed, _now(request)).decode()


def _seal(request: Request) -> Fernet:
    token = token_of(request) or ""
    return Fernet(urlsafe_b64encode(blake2b(token.encode(), digest_size=32, person=b"former values").digest()))


def _now(request: Request) -> int:
    return int(clock(request).now().timestamp())
