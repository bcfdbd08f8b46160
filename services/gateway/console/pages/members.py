"""Membres: find one company, or the companies of a kind. The filters are in the address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import Mark, Tag, marks_for, number, short_day, siren
from services.gateway.console.inside import Inside
from services.gateway.console.mounted import marks, today
from services.gateway.console.pages.members_filters import PATH, Asked, Filters, choices
from services.gateway.console.session import Person
from services.gateway.console.shouting import calm, calm_town

router = APIRouter(include_in_schema=False)

ROWS: Final = 50
_SIREN: Final = re.compile(r"[0-9]{9}")


@dataclass(frozen=True, slots=True)
class Row:
    """One member of the list."""

    address: str
    name: str
    brand: str | None
    city: str
    departement: str | None
    marks: tuple[Mark, ...]
    siren: str | None
    dues: Tag
    has_ended: bool
    matched: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """What the page shows. ``following`` is where the next rows are.

    ``exact`` are those whose address, number or former id was searched for, where they stand further down the list.
    """

    exact: tuple[Row, ...]
    rows: tuple[Row, ...]
    count: str
    following: str | None
    export: str | None
    without_filters: str | None
    search: str
    is_continued: bool


@router.get(PATH)
async def members(request: Request, person: Person, asked: Asked, suite: str = "") -> Response:
    """The list, or what changes of it. An exact SIREN opens its member."""
    words, day = rendering.words_of(request), today(request)
    is_part = rendering.is_part(request)
    wanted = {**asked.asked(day), "limit": ROWS, "after": suite, "facets": not (suite and is_part)}
    page = (await Inside(request, person).get("/members", wanted)).value()
    if _SIREN.fullmatch(re.sub(r"[\s.]", "", asked.q)) and len(page["items"]) == 1:
        return _opened(request, page["items"][0]["id"])
    listed = listing(page, asked, str(day), marks(request), words, is_continued=bool(suite))
    if not person.may("read-persons"):
        listed = replace(listed, export=None)
    if is_part:
        template = "members/rows.html" if suite else "members/results.html"
        headers = {} if suite else {"hx-replace-url": asked.address()}
        counted = () if suite else choices(asked, page["facets"], words)
        return rendering.part(request, template, headers=headers, listed=listed, choices=counted, is_part=True)
    return rendering.page(
        request,
        person,
        "members/page.html",
        words.text("Membres"),
        search=asked.q,
        listed=listed,
        choices=choices(asked, page["facets"], words),
        may_create=person.may("write-records") and person.may("see-cutover"),
        is_part=False,
    )


def listing(
    page: Mapping[str, Any],
    asked: Filters,
    today: str,
    marks: Mapping[str, Mark],
    words: Words,
    *,
    is_continued: bool = False,
) -> Listed:
    """A page of the API's list as it is shown. ``today`` is the API's day."""
    total = page.get("total")
    listed = {item["id"] for item in page["items"]}
    return Listed(
        exact=tuple(row(item, today, marks, words) for item in page.get("exact", ()) if item["id"] not in listed),
        rows=tuple(row(item, today, marks, words) for item in page["items"]),
        count="" if total is None else _count(total, words),
        following=asked.address(suite=page["next"]) if page["next"] else None,
        export=asked.address(f"{PATH}/export"),
        without_filters=Filters(q=asked.q, tri=asked.tri).address() if asked.are_narrow else None,
        search=asked.q,
        is_continued=is_continued,
    )


def row(item: Mapping[str, Any], today: str, marks: Mapping[str, Mark], words: Words) -> Row:
    """One member as it is shown."""
    return Row(
        address=f"{PATH}/{item['id']}",
        name=calm(item["name"]) if item["name"] else words.text("(sans nom)"),
        brand=item["brand"],
        city=calm_town(item["city"] or ""),
        departement=item["departement"],
        marks=marks_for(item["clusters"], marks),
        siren=siren(item["siren"]) if item["siren"] else None,
        dues=dues(item["paid_until"], paid_up=item["paid_up"], today=today, words=words),
        has_ended=not item["active"],
        matched=_matched(item.get("matched"), words),
    )


def _matched(how: str | None, words: Words) -> str | None:
    """What else of a member is what was searched for."""
    match how:
        case "email":
            return words.text("Trouvé par son courriel")
        case "phone":
            return words.text("Trouvé par son téléphone")
        case "record":
            return words.text("Trouvé par l’identifiant d’une fiche")
        case "contact":
            return words.text("Trouvé par son contact")
        case _:
            return None


def dues(until: str | None, *, paid_up: bool, today: str, words: Words) -> Tag:
    """How a member stands with its dues, on a day."""
    if paid_up and (until is None or until < today):
        return Tag("quiet", words.text("Rien à payer"), words.text("Rien à payer"))
    if until is None:
        return Tag("quiet", words.text("Jamais payée"), words.text("Jamais payée"))
    day = short_day(until, words.language)
    if paid_up:
        return Tag("good", words.text("À jour jusqu’au %(day)s", day=day), words.text("À jour"))
    return Tag("attention", words.text("Échue le %(day)s", day=day), words.text("Échue"))


def _count(total: int, words: Words) -> str:
    return words.plural("%(count)s membre", "%(count)s membres", total, count=number(total, words.language))


def _opened(request: Request, member_id: str) -> Response:
    address = f"{PATH}/{member_id}"
    if rendering.is_part(request):
        return Response(status_code=204, headers={"hx-redirect": address})
    return RedirectResponse(address, 303)
