"""``/p/c/{token}``: the check-in page of a session, for a phone that has a pass. It works without a script.

Who came in is kept in membership's own outbox, so it is noted while events is away. The list is asked of events.
Names are typed in forms alone: no address holds one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from schemas.event_requests import AttendanceNoted, PersonNoted
from schemas.events_operations import PersonName
from schemas.events_passes import CHECK_IN_LIST, CheckInList, OneDigest
from schemas.objections import TOKEN_LENGTH, link_digest
from services.common.words import local_moment
from services.gateway.bodies import read_body
from services.gateway.context import GatewayContext
from services.gateway.dependencies import Context, Lang
from services.gateway.problems import ProblemError, described
from services.gateway.public import checkin_view as view
from services.gateway.public.checkin_script import FOR_PAGE, HEADERS, texts_for_script
from services.gateway.public.checkin_texts import TEXTS
from services.gateway.public.checkin_view import Row
from services.gateway.public.forms import fields_of, new_key
from services.gateway.public.gatherings import pages_described
from services.gateway.public.limits import RateLimit, caller_of, too_many
from services.gateway.public.pages import render
from services.gateway.public.session_words import session_words
from services.gateway.queries import ask_for
from services.gateway.translations import language_of
from services.membership.translations import Language
from shared.messaging.publishing import publish

router = APIRouter(prefix="/p", tags=["public"])

Token = Annotated[str, Path(pattern=rf"^[a-zA-Z2-7]{{{TOKEN_LENGTH}}}$", description="of the check-in pass")]
LONGEST_BODY: Final = 4_096
AUTHOR: Final = "check-in page"
"""Who asks, in the log of queries."""
AWAY: Final = ("service-away", "broker-unavailable", "service-failed")

LOOKS_BY_CALLER: Final = RateLimit(burst=300, per_second=5)
"""Several phones at one place have one address. Nobody finds one of 2^130 tokens."""
LOOKS_FOR_ALL: Final = RateLimit(burst=1_000, per_second=50)
BY_CALLER: Final = RateLimit(burst=300, per_second=5)
BY_TOKEN: Final = RateLimit(burst=200, per_second=3)
FOR_ALL: Final = RateLimit(burst=2_000, per_second=50)

_NAME: Final[TypeAdapter[str]] = TypeAdapter(PersonName)


@dataclass(frozen=True, slots=True)
class Page:
    """What the page shows: a list, all of it or what was searched; whom it asks about; what was done.

    ``listed`` is None while events is away. ``asked`` is whom to let in, ``why`` a key of texts: what is asked.
    """

    listed: CheckInList | None
    rows: Sequence[Row] = ()
    words: str = ""
    done: str = ""
    error: str = ""
    asked: Row | None = None
    why: str = ""
    name: str = ""
    status: int = 200
    key: str = field(default_factory=new_key)


@router.get("/c/{token}", openapi_extra={"security": []}, response_class=Response,
            responses=pages_described(404, 503) | described(429))  # fmt: skip
async def check_in_page(request: Request, context: Context, token: Token, lang: Lang = None) -> Response:
    """The list, and forms to let people in. It changes nothing."""
    allow_look(request)
    return await _shown(request, context, token, await list_of(context, token))


@router.post("/c/{token}", openapi_extra={"security": []}, response_class=Response,
             responses=pages_described(404, 422, 503) | described(413, 429))  # fmt: skip
async def check_in(request: Request, context: Context, token: Token, lang: Lang = None) -> Response:
    """Search, or keep who came in."""
    allow_change(request, token)
    typed = fields_of(await read_body(request, LONGEST_BODY))
    listed = await list_of(context, token)
    if isinstance(listed, str):
        return await _shown(request, context, token, listed)
    language = language_of(request)
    rows = [] if listed is None else view.rows_of(listed, TEXTS[language], language)
    page = await _done(context, token, typed, Page(listed, rows), language)
    return _page(page, token, language)


def allow_look(request: Request) -> None:
    """Raises ProblemError for who looks very often."""
    if not (LOOKS_BY_CALLER.allows(caller_of(request)) and LOOKS_FOR_ALL.allows("")):
        raise too_many()


def allow_change(request: Request, token: str) -> None:
    """Raises ProblemError for who sends very often."""
    if not (BY_CALLER.allows(caller_of(request)) and BY_TOKEN.allows(link_digest(token)) and FOR_ALL.allows("")):
        raise too_many()


async def list_of(context: GatewayContext, token: str) -> CheckInList | str | None:
    """The list of the pass; None while events is away, and the refusal's kind where the pass ended."""
    asked = OneDigest(digest=link_digest(token))
    try:
        return CheckInList.model_validate(await ask_for(context, AUTHOR, CHECK_IN_LIST, "events", None, asked))
    except ProblemError as error:
        if error.kind in AWAY:
            return None
        if error.kind == "pass-unknown":
            return error.kind
        raise


async def keep(context: GatewayContext, token: str, device: str | None, entries: Sequence[PersonNoted]) -> None:
    """Keep who came in."""
    now = context.clock.now()
    fact = AttendanceNoted(
        version=int(now.timestamp() * 1_000_000),
        link_digest=link_digest(token),
        device=device,
        entries=tuple(entries),
        received_at=now,
    )
    async with context.writing() as uow:
        publish(uow, AttendanceNoted, [(fact, None)])


async def _done(context: GatewayContext, token: str, typed: dict[str, str], page: Page, language: Language) -> Page:
    """What came of the form."""
    match typed.get("act"):
        case "enter":
            return await _entered(context, token, typed, page, language)
        case "add":
            return await _added(context, token, typed, page, language)
        case _:
            return await _searched(context, token, typed.get("q", "").strip(), page, language)


async def _searched(context: GatewayContext, token: str, words: str, page: Page, language: Language) -> Page:
    texts, digest = TEXTS[language], view.ticket_digest(words)
    if not words:
        return replace(page, error=texts["error_find"], status=422)
    if page.listed is None and digest is not None:
        await keep(context, token, None, [_entry(context, page.key, ticket_digest=digest)])
        return replace(page, done=texts["noted_code"])
    if page.listed is None:
        return replace(page, error=texts["find_away"], words=words, status=503)
    if digest is None:
        return replace(page, rows=view.named(page.rows, words), words=words)
    person = view.with_ticket(page.rows, digest)
    if person is None:
        return replace(page, error=texts["unknown_code"])
    return _asking(page, person)


def _asking(page: Page, person: Row) -> Page:
    if person.came:
        return replace(page, asked=person, why="ask_in")
    return replace(page, asked=person, why="ask" if person.expected else "ask_not_expected")


async def _entered(context: GatewayContext, token: str, typed: dict[str, str], page: Page, language: Language) -> Page:
    person = next((row for row in page.rows if row.attendee_id == typed.get("attendee")), None)
    if person is None and page.listed is not None:
        return page
    if person is not None and (person.came or not person.expected):
        return _asking(page, person)
    try:
        key = f"{typed.get('form', '')}-{typed.get('attendee', '')}"
        entry = _entry(context, key, attendee_id=typed.get("attendee"))
    except ValidationError:
        return replace(page, status=422)
    await keep(context, token, None, [entry])
    name = "" if person is None else person.name
    return _with(page, person, TEXTS[language]["noted"].format(name).rstrip(": \u00a0"))


async def _added(context: GatewayContext, token: str, typed: dict[str, str], page: Page, language: Language) -> Page:
    texts, name = TEXTS[language], typed.get("name", "")
    try:
        name = _NAME.validate_python(name)
        entry = _entry(context, typed.get("form", ""), name=name)
    except ValidationError:
        return replace(page, error=texts["error_name"], name=name, status=422)
    if typed.get("sure") != "yes" and (same := view.called(page.rows, name)):
        return replace(page, asked=same[0], why="ask_listed", name=name)
    await keep(context, token, None, [entry])
    return _with(page, None, texts["noted"].format(name))


def _with(page: Page, person: Row | None, done: str) -> Page:
    """The page as it is once events has heard: it needs a moment."""
    if page.listed is None:
        return replace(page, done=done)
    rows = [replace(row, came="✓") if row == person else row for row in page.rows]
    listed = page.listed.model_copy(update={"present": page.listed.present + 1})
    return replace(page, listed=listed, rows=rows, done=done)


def _entry(context: GatewayContext, key: str, **who: Any) -> PersonNoted:
    """Raises ValidationError."""
    return PersonNoted(key=key, at=context.clock.now(), **who)


async def _shown(request: Request, context: GatewayContext, token: str, listed: CheckInList | str | None) -> Response:
    language = language_of(request)
    texts = TEXTS[language]
    if isinstance(listed, str):
        return render("notice", language, texts, status=404, notice="ended")
    if listed is None:
        return _page(Page(None, error=texts["list_away"], status=503), token, language)
    return _page(Page(listed, view.rows_of(listed, texts, language)), token, language)


def _page(page: Page, token: str, language: Language) -> Response:
    texts, listed = TEXTS[language], page.listed
    until = "" if listed is None else local_moment(listed.ends_at, listed.session.zone, language)
    return render(
        "checkin",
        language,
        texts,
        status=page.status,
        headers=HEADERS | ({"retry-after": "5"} if page.status == 503 else {}),
        page=page,
        rows=page.rows if page.words else view.expected(page.rows),
        shown=None if listed is None else session_words(listed.session, texts, language, dated=False),
        until=f"{texts['until']} {until}." if until else "",
        script=FOR_PAGE,
        script_texts=texts_for_script(language),
        store=link_digest(token)[:16],
    )
