"""The script of the check-in page, and what it asks: the list as JSON, and who was let in while off line."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from schemas.event_requests import MOST_ENTRIES, EntryKey
from schemas.events_operations import PersonName
from schemas.operation import Id
from services.gateway.public.checkin_texts import SCRIPT, TEXTS
from services.gateway.public.pages import policy
from services.membership.translations import Language

router = APIRouter(prefix="/p", tags=["public"])

_SCRIPT: Final = Path(__file__).with_name("check-in.js").read_bytes()
_DIGEST: Final = b64encode(sha256(_SCRIPT).digest()).decode()
FOR_PAGE: Final = {"src": f"../check-in.js?v={sha256(_SCRIPT).hexdigest()[:12]}", "integrity": f"sha256-{_DIGEST}"}
"""Relative, since a proxy may serve us below a path."""
HEADERS: Final = {"content-security-policy": policy(script=True), "permissions-policy": "camera=(self)"}
WEEKS: Final = 14 * 86_400
"""Seconds."""


class EntrySent(BaseModel):
    """Somebody whom a phone let in, and how many seconds ago: its clock may be wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: EntryKey
    attendee_id: Id | None = None
    name: PersonName | None = None
    ago: Annotated[int, Field(ge=0, le=WEEKS)]


class EntriesSent(BaseModel):
    """Those whom a phone let in; sent again each is one. ``device`` tells phones with one pass apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,8}$")]
    entries: Annotated[list[EntrySent], Field(min_length=1, max_length=MOST_ENTRIES)]


class PersonShown(BaseModel):
    """Somebody on the list, in words. ``tickets`` are SHA-256 of their tickets' codes, in hexadecimal."""

    id: str
    name: str
    note: str
    came: str
    expected: bool
    tickets: list[str]


class ListShown(BaseModel):
    """The list. ``keys`` are those of entries that were taken by this pass."""

    present: int
    expected: int
    people: list[PersonShown]
    keys: list[str]


class Noted(BaseModel):
    """How many entries were kept."""

    noted: int


def texts_for_script(language: Language) -> str:
    """Texts as JSON."""
    return orjson.dumps({name: TEXTS[language][name] for name in SCRIPT}).decode()


@router.get("/check-in.js", openapi_extra={"security": []}, response_class=Response)
async def script() -> Response:
    """The script. It holds nobody's data."""
    headers: dict[str, Any] = {"cache-control": "public, max-age=86400", "x-content-type-options": "nosniff"}
    return Response(_SCRIPT, headers=headers, media_type="text/javascript")
