"""``/p/e/{session_id}``: the page of a session that everybody may see, with a form that needs no script.

What the form asks for is kept in membership's own outbox, so "noted" is answered while events or the broker is away.
Events alone decides who gets a seat.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from schemas.event_requests import RegistrationRequested
from schemas.events_public import PUBLIC_SESSION, OnePublicSession, PublicSession
from schemas.operation import Id
from services.gateway.bodies import read_body
from services.gateway.context import GatewayContext
from services.gateway.dependencies import Context, Lang
from services.gateway.problems import ProblemError, described
from services.gateway.public.forms import Form, fields_of, new_key, registration_form
from services.gateway.public.gathering_texts import TEXTS
from services.gateway.public.limits import RateLimit, caller_of, too_many
from services.gateway.public.pages import render
from services.gateway.public.session_words import session_words
from services.gateway.queries import ask_for
from services.gateway.translations import language_of
from services.membership.translations import Language
from shared.messaging.publishing import publish

router = APIRouter(prefix="/p", tags=["public"])

SessionId = Annotated[Id, Path(description="of the session")]
LONGEST_BODY: Final = 16_384
AUTHOR: Final = "public page"
"""Who asks, in the log of queries."""

LOOKS_BY_CALLER: Final = RateLimit(burst=300, per_second=5)
LOOKS_FOR_ALL: Final = RateLimit(burst=1_000, per_second=100)
"""Each look asks events a question."""
BY_CALLER: Final = RateLimit(burst=60, per_second=0.5)
"""One office may register many people at once."""
BY_SESSION: Final = RateLimit(burst=1_000, per_second=20)
FOR_ALL: Final = RateLimit(burst=2_000, per_second=50)

HTML: Final[dict[str, Any]] = {"text/html": {"schema": {"type": "string"}}}


def pages_described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These statuses, for OpenAPI: a page, or a problem."""
    return {
        status: answer | {"content": {**answer["content"], **HTML}} for status, answer in described(*statuses).items()
    }


@router.get(
    "/e/{session_id}",
    openapi_extra={"security": []},
    response_class=Response,
    responses=pages_described(404, 503) | described(429),
)
async def session_page(request: Request, context: Context, session_id: SessionId, lang: Lang = None) -> Response:
    """The session, and a form to register. It changes nothing."""
    if not (LOOKS_BY_CALLER.allows(caller_of(request)) and LOOKS_FOR_ALL.allows("")):
        raise too_many()
    language = language_of(request)
    try:
        session = await _session(context, session_id)
    except ProblemError as error:
        return unavailable(error, language, "unknown")
    return _form_page(session, Form(new_key()), language)


@router.post(
    "/e/{session_id}",
    openapi_extra={"security": []},
    response_class=Response,
    responses=pages_described(422) | described(413, 429),
)
async def register(request: Request, context: Context, session_id: SessionId, lang: Lang = None) -> Response:
    """Keep what the form asks for; with an error show it again, as it was typed."""
    if not (BY_CALLER.allows(caller_of(request)) and BY_SESSION.allows(session_id) and FOR_ALL.allows("")):
        raise too_many()
    language = language_of(request)
    form = registration_form(fields_of(await read_body(request, LONGEST_BODY)))
    if form.faults:
        return _form_page(await _session_or_none(context, session_id), form, language)
    async with context.writing() as uow:
        publish(uow, RegistrationRequested, [(_fact(context, session_id, form, language), None)])
    return render("noted", language, TEXTS[language], email=form.email)


def unavailable(error: ProblemError, language: Language, unknown: str) -> Response:
    """The page for what events does not know (texts ``unknown``), or cannot say now. Raises other problems."""
    if error.kind in ("session-unknown", "link-unknown", "pass-unknown"):
        return render("notice", language, TEXTS[language], status=404, notice=unknown)
    if error.kind in ("service-away", "broker-unavailable", "service-failed"):
        return render("notice", language, TEXTS[language], status=503, headers=error.headers, notice="away")
    raise error


async def _session(context: GatewayContext, session_id: str) -> PublicSession:
    asked = OnePublicSession(session_id=session_id)
    return PublicSession.model_validate(await ask_for(context, AUTHOR, PUBLIC_SESSION, "events", None, asked))


async def _session_or_none(context: GatewayContext, session_id: str) -> PublicSession | None:
    """What is shown above a form with errors: while events is away the form alone."""
    try:
        return await _session(context, session_id)
    except ProblemError:
        return None


def _form_page(session: PublicSession | None, form: Form, language: Language) -> Response:
    texts = TEXTS[language]
    opened = session is None or session.state in ("open", "waiting-list")
    indexed: Mapping[str, str] = {} if form.faults else {"x-robots-tag": ""}
    return render(
        "gathering",
        language,
        texts,
        status=422 if form.faults else 200,
        headers=indexed,
        shown=None if session is None else session_words(session, texts, language),
        cluster=None if session is None else session.cluster,
        form=form if opened or form.faults else None,
    )


def _fact(context: GatewayContext, session_id: str, form: Form, language: Language) -> RegistrationRequested:
    now = context.clock.now()
    return RegistrationRequested(
        version=int(now.timestamp() * 1_000_000),
        session_id=session_id,
        form=form.key,
        people=form.people,
        email=form.email,
        language=language,
        fewer=form.fewer,
        received_at=now,
    )
