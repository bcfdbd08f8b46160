"""A value of a member that is set by hand: believed before every record, until somebody takes it back."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.auth.caller import Caller
from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import cluster_of, marks_for
from services.gateway.console.forms import Typed, typed, typed_again
from services.gateway.console.inside import Inside
from services.gateway.console.mounted import marks
from services.gateway.console.pages import member, members
from services.gateway.console.pages.duplicates_evidence import written_labels
from services.gateway.console.pages.duplicates_taken import signed
from services.gateway.console.pages.member_fields import fields_of
from services.gateway.console.session import Person

router = APIRouter(include_in_schema=False)

PATH: Final = member.PATH + "/valeurs/{field}"
PARTS: Final[Mapping[str, str]] = {
    "contact_first_name": "first_name",
    "contact_last_name": "last_name",
    "contact_role": "role",
}
"""Parts of a contact: a member shows it as one, and they are set one by one."""


@dataclass(frozen=True, slots=True)
class SetBefore:
    """A value that was set by hand once. ``taken_back`` says by whom, when and why; None while it is shown."""

    value: str
    by: str
    reason: str
    taken_back: str | None


@router.get(PATH)
async def value(request: Request, person: Person, member_id: str, field: str) -> Response:
    """What is shown of a field, who says what, and a form to set it."""
    return await _page(request, person, member_id, field)


@router.post(PATH)
async def set_value(request: Request, person: Person, member_id: str, field: str) -> Response:
    """Set it."""
    fields, inside = await typed(request), Inside(request, person)
    body = {"value": fields.get("value", ""), "reason": fields.get("reason", ""), **_record(fields)}
    answer = await inside.put(f"/members/{member_id}/fields/{field}", body, _if_match(fields))
    if answer.is_refusal:
        form = typed_again(request, fields, answer)
        return await _page(request, person, member_id, field, form=form, status=answer.status)
    return RedirectResponse(f"{members.PATH}/{answer.json['member_id']}?fixee={field}", 303)


@router.post(f"{PATH}/retirer")
async def take_back(request: Request, person: Person, member_id: str, field: str) -> Response:
    """Let the records be believed again."""
    fields, inside = await typed(request), Inside(request, person)
    answer = await inside.post(f"/members/{member_id}/fields/{field}/take-back", {"reason": fields.get("reason", "")})
    if answer.is_refusal:
        form = typed_again(request, {}, answer)
        return await _page(request, person, member_id, field, form=form, status=answer.status)
    return RedirectResponse(f"{members.PATH}/{answer.json['member_id']}?retiree={field}", 303)


def _record(fields: Mapping[str, str]) -> dict[str, str]:
    return {"record": fields["_record"]} if fields.get("_record") else {}


def _if_match(fields: Mapping[str, str]) -> dict[str, str]:
    return {"if-match": fields["_etag"]} if fields.get("_etag") else {}


def settable(words: Words) -> dict[str, str]:
    """What may be set by hand, and what each is called."""
    return {
        name: label
        for name, label in written_labels(words).items()
        if name not in ("contact", "departement", "same_as")
    }


def record_for(view: Mapping[str, Any], person: Caller) -> str | None:
    """The record to set a value on, for somebody who may do so in some clusters alone; None leaves it to the API."""
    clusters = person.rights.get("set-values", frozenset())
    records = (source["from"] for source in view.get("sources") or ())
    return None if clusters is None else next((each for each in records if cluster_of(each) in clusters), None)


async def _page(
    request: Request, person: Caller, member_id: str, field: str, *, form: Typed | None = None, status: int = 200
) -> Response:
    inside, words = Inside(request, person), rendering.words_of(request)
    path = f"/members/{member_id}"
    answer, overrides = await asyncio.gather(inside.get(path), inside.get(f"{path}/overrides"))
    view, ever = answer.value(), overrides.value()["items"]
    named = settable(words)
    label = named.get(field, field)
    known = fields_of(view, (), ever, marks(request), words)
    shown = next((each for each in known if each.name == ("contact" if field in PARTS else field)), None)
    own = f"{members.PATH}/{view['id']}"
    return rendering.page(
        request,
        person,
        "deciding/value.html",
        words.text("Fixer une valeur : %(label)s", label=label),
        status=status,
        own=own,
        address=f"{own}/valeurs/{field}",
        label=label,
        field=field,
        shown=shown,
        current=_current(view, field),
        before=tuple(_before(item, words) for item in ever if item["field"] == field),
        etag=answer.etag or "",
        record=record_for(view, person) or "",
        marks=marks_for(view["clusters"], marks(request)),
        may_set=field in named and person.may_in_any("set-values", view["clusters"]),
        form=form or Typed(),
    )


def _current(view: Mapping[str, Any], field: str) -> str:
    shown: Any = (view.get("contact" if field in PARTS else field) or {}).get("value")
    if isinstance(shown, Mapping):
        parts: Mapping[str, Any] = shown  # pyright: ignore[reportUnknownVariableType]
        return str(parts.get(PARTS.get(field, "code")) or "")
    return str(shown or "")


def _before(item: Mapping[str, Any], words: Words) -> SetBefore:
    back = item["taken_back"]
    return SetBefore(
        value=item["value"],
        by=signed(item, words),
        reason=item["reason"],
        taken_back=None
        if back is None
        else words.text(
            "%(by)s : « %(reason)s »",
            by=signed({"author": back["by"], "at": back["at"]}, words),
            reason=back["reason"],
        ),
    )
