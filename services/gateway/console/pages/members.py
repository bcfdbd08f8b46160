"""Membres: find one company, or the companies of a kind. The filters are in the address."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from services.gateway.console import rendering
from services.gateway.console.catalogue import Words
from services.gateway.console.display import Mark, Tag, marks_for, number, short_day, siren
from services.gateway.console.inside import Inside, Params
from services.gateway.console.mounted import marks
from services.gateway.console.pages.members_filters import Choice, choices
from services.gateway.console.session import Person
from services.gateway.console.shouting import calm, calm_town

router = APIRouter(include_in_schema=False)

PATH: Final = "/console/membres"
ROWS: Final = 50
_DUES: Final = {"a-jour": True, "en-retard": False}
_MEMBERSHIP: Final = {"en-cours": True, "terminee": False}
_SIREN: Final = re.compile(r"[0-9]{9}")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for, as it stands in the address; empty is everything."""

    q: str = ""
    cluster: str = ""
    origine: str = ""
    departement: str = ""
    cotisation: str = ""
    adhesion: str = ""

    def address(self, path: str = PATH, **more: str) -> str:
        """Where these are shown."""
        kept = {name: value for name, value in (asdict(self) | more).items() if value}
        return f"{path}?{urlencode(kept)}" if kept else path

    def asked(self) -> Params:
        """The same as the API's parameters."""
        return {
            "search": self.q,
            "cluster": self.cluster,
            "lineage": self.origine,
            "departement": self.departement,
            "paid_up": _DUES.get(self.cotisation),
            "active": _MEMBERSHIP.get(self.adhesion),
        }

    @property
    def are_narrow(self) -> bool:
        """Whether there is more than words to search for."""
        return self != Filters(q=self.q)


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


@dataclass(frozen=True, slots=True)
class Listed:
    """What the page shows. ``following`` is where the next rows are."""

    rows: tuple[Row, ...]
    count: str
    following: str | None
    export: str | None
    without_filters: str | None
    search: str
    is_continued: bool


async def filters(
    q: Annotated[str, Query(max_length=200)] = "",
    cluster: str = "",
    origine: str = "",
    departement: str = "",
    cotisation: str = "",
    adhesion: str = "",
) -> Filters:
    """The filters of an address."""
    return Filters(q.strip(), cluster, origine, departement, cotisation, adhesion)


Asked = Annotated[Filters, Depends(filters)]


@router.get(PATH)
async def members(request: Request, person: Person, asked: Asked, suite: str = "") -> Response:
    """The list, or what changes of it. An exact SIREN opens its member."""
    inside, words = Inside(request, person), rendering.words_of(request)
    answer, statistics = await asyncio.gather(
        inside.get("/members", {**asked.asked(), "limit": ROWS, "after": suite, "total": not suite}),
        inside.get("/statistics"),
    )
    page, counted = answer.value(), statistics.value()
    if _SIREN.fullmatch(re.sub(r"[\s.]", "", asked.q)) and len(page["items"]) == 1:
        return _opened(request, page["items"][0]["id"])
    listed = listing(page, asked, counted["on"], marks(request), words, is_continued=bool(suite))
    if not person.may("read-persons"):
        listed = replace(listed, export=None)
    if rendering.is_part(request):
        template = "members/rows.html" if suite else "members/results.html"
        headers = {} if suite else {"hx-replace-url": asked.address()}
        return rendering.part(request, template, headers=headers, listed=listed, is_part=True)
    return rendering.page(
        request,
        person,
        "members/page.html",
        words.text("Membres"),
        search=asked.q,
        listed=listed,
        choices=_choices(asked, counted, words),
        may_create=person.may("write-records") and person.may("see-cutover"),
        is_part=False,
    )


@router.get(PATH + ".csv")
async def members_csv(request: Request, person: Person, asked: Asked) -> Response:
    """The same members as a spreadsheet."""
    return Inside(request, person).passing("/members.csv", asked.asked())


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
    return Listed(
        rows=tuple(row(item, today, marks, words) for item in page["items"]),
        count="" if total is None else _count(total, words),
        following=asked.address(suite=page["next"]) if page["next"] else None,
        export=asked.address(f"{PATH}.csv"),
        without_filters=Filters(q=asked.q).address() if asked.are_narrow else None,
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
    )


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


def _choices(asked: Filters, counted: Mapping[str, Any], words: Words) -> tuple[Choice, ...]:
    return choices(asdict(asked), counted, words)


def _opened(request: Request, member_id: str) -> Response:
    address = f"{PATH}/{member_id}"
    if rendering.is_part(request):
        return Response(status_code=204, headers={"hx-redirect": address})
    return RedirectResponse(address, 303)
