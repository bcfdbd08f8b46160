"""``/p/r/{token}``: a registration by its personal link: its state, and forms to answer, cancel or change it.

What is answered is kept in membership's own outbox. Whether a token exists is known to events alone; while it is away
all tokens look alike.
"""

from collections.abc import Mapping
from typing import Annotated, Final, get_args

from fastapi import APIRouter, Path
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from schemas.event_requests import RegistrationAnswered
from schemas.events_public import LINKED_REGISTRATION, LinkedRegistration, OneLink, feed_token
from schemas.objections import TOKEN_LENGTH, link_digest
from services.common.words import local_moment
from services.gateway.bodies import read_body
from services.gateway.dependencies import Context, Lang
from services.gateway.problems import ProblemError, described
from services.gateway.public.forms import fields_of
from services.gateway.public.gathering_texts import TEXTS
from services.gateway.public.gatherings import AUTHOR, pages_described, unavailable
from services.gateway.public.limits import RateLimit, caller_of, too_many
from services.gateway.public.pages import render
from services.gateway.public.session_words import session_words
from services.gateway.queries import ask_for
from services.gateway.translations import language_of
from services.membership.translations import Language
from shared.messaging.publishing import publish

router = APIRouter(prefix="/p", tags=["public"])

Token = Annotated[str, Path(pattern=rf"^[a-zA-Z2-7]{{{TOKEN_LENGTH}}}$", description="of the link, from the mail")]
LONGEST_BODY: Final = 4_096

LOOKS_BY_CALLER: Final = RateLimit(burst=120, per_second=1)
"""Nobody finds one of 2^130 tokens; but each look asks events a question."""
LOOKS_FOR_ALL: Final = RateLimit(burst=1_000, per_second=50)
BY_CALLER: Final = RateLimit(burst=60, per_second=0.5)
BY_TOKEN: Final = RateLimit(burst=10, per_second=0.1)
FOR_ALL: Final = RateLimit(burst=2_000, per_second=50)


@router.get(
    "/r/{token}",
    openapi_extra={"security": []},
    response_class=Response,
    responses=pages_described(404, 503) | described(429),
)
async def registration_page(request: Request, context: Context, token: Token, lang: Lang = None) -> Response:
    """The registration that the link is about. It changes nothing: programs that look at mails open every link."""
    if not (LOOKS_BY_CALLER.allows(caller_of(request)) and LOOKS_FOR_ALL.allows("")):
        raise too_many()
    language = language_of(request)
    asked = OneLink(digest=link_digest(token))
    try:
        answer = await ask_for(context, AUTHOR, LINKED_REGISTRATION, "events", None, asked)
    except ProblemError as error:
        return unavailable(error, language, "link_unknown")
    return _page(LinkedRegistration.model_validate(answer), language, token)


@router.post("/r/{token}", openapi_extra={"security": []}, response_class=Response, responses=described(413, 429))
async def answer_link(request: Request, context: Context, token: Token, lang: Lang = None) -> Response:
    """Keep what is answered: take or leave an offered seat, come no more, or change who comes."""
    digest = link_digest(token)
    if not (BY_CALLER.allows(caller_of(request)) and BY_TOKEN.allows(digest) and FOR_ALL.allows("")):
        raise too_many()
    typed = fields_of(await read_body(request, LONGEST_BODY))
    language = language_of(request)
    now = context.clock.now()
    try:
        fact = RegistrationAnswered.model_validate(
            {
                "version": int(now.timestamp() * 1_000_000),
                "link_digest": digest,
                "act": typed.get("act"),
                "attendee_id": typed.get("attendee") or None,
                "person": _person(typed),
                "same_person": typed.get("same") == "yes",
                "received_at": now,
            }
        )
    except ValidationError:
        if typed.get("act") == "replace":
            return render("notice", language, TEXTS[language], status=422, notice="person_invalid")
        acts = ", ".join(get_args(RegistrationAnswered.model_fields["act"].annotation))
        message = f"write one of {acts}; an attendee by their id"
        raise RequestValidationError([{"loc": ("body", "act"), "msg": message}]) from None
    async with context.writing() as uow:
        publish(uow, RegistrationAnswered, [(fact, None)])
    return render("answered", language, TEXTS[language], act=fact.act)


def _person(typed: Mapping[str, str]) -> dict[str, str | None] | None:
    """Who comes instead; without a name the fact is refused."""
    if typed.get("act") != "replace":
        return None
    return {"name": typed.get("name", "").strip(" "), "email": typed.get("email", "").strip() or None}


def _page(linked: LinkedRegistration, language: Language, token: str) -> Response:
    texts = TEXTS[language]
    return render(
        "registration",
        language,
        texts,
        shown=session_words(linked.session, texts, language, dated=False),
        state=_state(linked, language),
        people=[person for person in linked.people if not person.left],
        whole=linked.whole,
        acts=linked.open_to,
        cancel=_cancel(linked, language),
        feed=feed_token(token) if linked.has_feed else None,
    )


def _state(linked: LinkedRegistration, language: Language) -> str:
    """What became of the registration, in a sentence."""
    texts = TEXTS[language]
    if linked.called_off:
        return texts["called_off"]
    seats = texts["places_one"] if linked.seats == 1 else texts["places_many"].format(linked.seats)
    sentence = texts[f"state_{linked.state}"].format(seats)
    if linked.state == "offered" and linked.offered_until is not None:
        return f"{sentence} {local_moment(linked.offered_until, linked.session.zone, language)}."
    return sentence


def _cancel(linked: LinkedRegistration, language: Language) -> str:
    """Until when one may call off, or that it is too late; nothing where there is nothing to call off."""
    texts = TEXTS[language]
    if "cancel" in linked.open_to:
        until = local_moment(linked.session.cancel_until, linked.session.zone, language)
        return f"{texts['cancel_until']} {until}."
    late = linked.state in ("registered", "waiting", "asked") and not linked.called_off
    return texts["too_late"] if late else ""
