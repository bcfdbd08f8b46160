"""``/p/u/{token}``: the page and the one-click address (RFC 8058) by which somebody gets no more of our mails.

It keeps what people say in membership's own outbox, and says "noted" while communications or the broker is away.
Whether a token exists is not known here, and nothing tells.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from schemas.objections import TOKEN_LENGTH, ObjectionReceived, link_digest
from services.gateway.bodies import read_body
from services.gateway.dependencies import Context, Lang
from services.gateway.problems import described
from services.gateway.public.limits import RateLimit, caller_of, too_many
from services.gateway.public.pages import page
from services.gateway.translations import language_of
from shared.messaging.publishing import publish

router = APIRouter(prefix="/p", tags=["public"])

Token = Annotated[str, Path(pattern=rf"^[a-zA-Z2-7]{{{TOKEN_LENGTH}}}$", description="of the link, from the mail")]
Act = Literal["object", "undo"]
Scope = Literal["purpose", "everything"]
LONGEST_BODY: Final = 4_096
_ONE_CLICK: Final = re.compile(rb"List-Unsubscribe=One-Click|name=\"List-Unsubscribe\"\s+One-Click", re.IGNORECASE)
_FIELD: Final = re.compile(rb"(?:^|&)(act|scope)=([a-z]+)(?=&|$)")

LOOKS_BY_CALLER: Final = RateLimit(burst=600, per_second=10)
BY_CALLER: Final = RateLimit(burst=120, per_second=2)
BY_TOKEN: Final = RateLimit(burst=10, per_second=0.1)
"""Somebody who changes their mind more often waits. One clicks are counted apart: each says the same."""
FOR_ALL: Final = RateLimit(burst=2_000, per_second=50)
"""One clicks of whoever comes first; of what the broker and a table can bear for days, if somebody makes up tokens."""
OTHERS: Final = RateLimit(burst=2_000, per_second=50)
"""One clicks of all callers that still have room of their own, once the first room is used up."""
FORMS: Final = RateLimit(burst=2_000, per_second=50)
"""Forms of all callers, whatever comes by one click."""


@router.get("/u/{token}", openapi_extra={"security": []}, response_class=Response, responses=described(429))
async def unsubscribe_page(request: Request, token: Token, lang: Lang = None) -> Response:
    """A page with a button. It changes nothing: programs that look at mails open every link."""
    if not LOOKS_BY_CALLER.allows(caller_of(request)):
        raise too_many()
    return page("unsubscribe", language_of(request))


@router.post("/u/{token}", openapi_extra={"security": []}, response_class=Response, responses=described(413, 429))
async def unsubscribe(request: Request, context: Context, token: Token, lang: Lang = None) -> Response:
    """Keep that somebody wants no more, or takes it back. One click (RFC 8058) is answered with nothing but 200."""
    body = await read_body(request, LONGEST_BODY)
    one_click = bool(_ONE_CLICK.search(body))
    if not (_allows_one_click if one_click else _allows_form)(caller_of(request), link_digest(token)):
        raise too_many()
    fields = {} if one_click else _fields(body)
    fact = _fact(token, fields, context.clock.now(), one_click=one_click)
    async with context.writing() as uow:
        publish(uow, ObjectionReceived, [(fact, None)])
    if one_click:
        return Response(status_code=200)
    return page("undone" if fact.act == "undo" else "unsubscribed", language_of(request), scope=fact.scope)


def _fact(token: str, fields: Mapping[str, str], now: datetime, *, one_click: bool) -> ObjectionReceived:
    return ObjectionReceived(
        version=int(now.timestamp() * 1_000_000),
        link_digest=link_digest(token),
        act="undo" if fields.get("act") == "undo" else "object",
        scope="everything" if fields.get("scope") == "everything" else "purpose",
        way="one-click" if one_click else "page",
        received_at=now,
    )


def _allows_one_click(caller: str, link: str) -> bool:
    """Providers unsubscribe many people from few addresses, so the caller does not count while there is room for all.

    Where somebody's made-up links take that room, each other caller still has its own, in a second room for all. What
    is refused because of its token says what was kept already.
    """
    room = FOR_ALL.allows("") or (BY_CALLER.allows(caller) and OTHERS.allows(""))
    return room and BY_TOKEN.allows(f"one-click {link}")


def _allows_form(caller: str, link: str) -> bool:
    return BY_CALLER.allows(caller) and BY_TOKEN.allows(link) and FORMS.allows("")


def _fields(body: bytes) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in _FIELD.findall(body)}
