"""Parts of a page that cross the broker: the page comes at once, and each part asks for itself.

With a script a part is put where the page left room for it; without one its link leads to it as a page of its own. A
part whose service is away says so, and can be asked again; the rest of the page works.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi import Request
from starlette.responses import Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.display import clock_time, instant
from services.gateway.console.errors import path_of, refusal
from services.gateway.console.forms import Typed
from services.gateway.console.inside import Answer
from services.gateway.console.mounted import clock

LIVE_FOR: Final = timedelta(minutes=5)
"""So long a page looks by itself at what is under way: it may be left open for days."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where something is, and what it is called."""

    address: str
    label: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: ``name`` is its id there, ``address`` where it is to be had."""

    name: str
    title: str
    address: str


def is_live(request: Request, since: str) -> bool:
    """Whether a page looks by itself still at what has been under way since then."""
    return clock(request).now() - instant(since) < LIVE_FOR


def section_response(
    request: Request, person: Caller, section: Section, template: str, above: Sequence[Link], **values: Any
) -> Response:
    """The part, or a page that holds nothing else. ``above`` are the pages that lead to that."""
    given: dict[str, Any] = {"section": section, "is_part": rendering.is_part(request), **values}
    if rendering.is_part(request):
        return rendering.part(request, template, **given)
    return rendering.page(request, person, "sections/alone.html", section.title, part=template, above=above, **given)


def unanswered(
    request: Request,
    person: Caller,
    section: Section,
    service: str,
    answer: Answer,
    above: Sequence[Link],
    form: Typed | None = None,
) -> Response:
    """That the service did not answer, as the part. Raises RefusedError for what asking again would not mend.

    A ``form`` that was sent is here again: what was typed into it, and a way to send it once more.
    """
    if answer.status < 500:
        answer.value()
    words, form = rendering.words_of(request), form or Typed()
    response = section_response(
        request,
        person,
        section,
        "sections/away.html",
        above,
        service=service,
        refusal=refusal(answer.status, answer.json or {}, words),
        time=clock_time(clock(request).now(), words.language),
        form=form,
        again=path_of(request.url),
    )
    if form.refusal:
        response.status_code = form.refusal.status
    return response
