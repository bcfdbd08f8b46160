"""Conflits: what merges brought together that a member should not have twice, whose it is, and where it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.console import rendering
from services.gateway.console.catalogue import Words, typeset
from services.gateway.console.choices import Choice, choice_of
from services.gateway.console.display import Mark, Tag, cluster_of, day_of, mark_of, short_day
from services.gateway.console.inside import Inside
from services.gateway.console.mounted import marks
from services.gateway.console.pages import members
from services.gateway.console.pages.access_tabs import Tab
from services.gateway.console.pages.duplicates_taken import NamedRecord
from services.gateway.console.session import Person
from services.gateway.console.shouting import calm

router = APIRouter(include_in_schema=False)

PATH: Final = "/console/conflits"
ROWS: Final = 50
_OF: Final[Mapping[str, str]] = {"facturation": "billing", "evenements": "events"}
_STATES: Final[Mapping[str, str | None]] = {"ouverts": "open", "regles": "settled", "disparus": "gone", "tous": None}


@dataclass(frozen=True, slots=True)
class Twice:
    """A period or an event that is there twice, and what each side has of it."""

    what: str
    left: tuple[str, ...]
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """One conflict. ``command`` settles it, in the service that is responsible."""

    id: str
    address: str
    what: str
    member: str
    member_address: str | None
    left: NamedRecord
    right: NamedRecord
    state: Tag
    owner: str
    since: str
    answered: str | None
    gone: str | None
    service: str
    who: str
    command: str | None
    twice: tuple[Twice, ...]


@router.get(PATH)
async def conflicts(
    request: Request, person: Person, chez: str = "facturation", etat: str = "ouverts", suite: str = ""
) -> Response:
    """Those of one service, the oldest first."""
    words = rendering.words_of(request)
    inside = Inside(request, person)
    responsible, state = _OF.get(chez, chez), _STATES.get(etat, etat)
    asked = {"responsible": responsible, "state": state, "limit": ROWS, "after": suite}
    page = (await inside.get("/conflicts", asked)).value()
    return rendering.page(
        request,
        person,
        "conflicts/page.html",
        words.text("Conflits"),
        tabs=_tabs(chez, etat, words),
        choice=_choice(etat, words),
        chosen=chez,
        rows=tuple(conflict_of(item, marks(request), words) for item in page["items"]),
        count=words.plural("%(num)s conflit", "%(num)s conflits", page["total"]),
        following=_address(chez, etat, page["next"]) if page["next"] else None,
        beginning=_address(chez, etat) if suite else None,
        is_open=etat == "ouverts",
    )


@router.get(f"{PATH}/{{conflict_id}}")
async def conflict(request: Request, person: Person, conflict_id: str) -> Response:
    """One conflict: both sides, and who settles it where."""
    words = rendering.words_of(request)
    item = (await Inside(request, person).get(f"/conflicts/{conflict_id}")).value()
    shown = conflict_of(item, marks(request), words)
    return rendering.page(request, person, "conflicts/conflict.html", shown.member, conflict=shown)


def _address(whose: str, state: str, following: str = "") -> str:
    asked = {"chez": whose, "etat": "" if state == "ouverts" else state, "suite": following}
    return f"{PATH}?{urlencode({name: value for name, value in asked.items() if value})}"


def _tabs(whose: str, state: str, words: Words) -> tuple[Tab, ...]:
    labels = (("facturation", words.text("Facturation")), ("evenements", words.text("Événements")))
    return tuple(Tab(_address(name, state), label, name == whose) for name, label in labels)


def _choice(state: str, words: Words) -> Choice:
    labels = (
        ("ouverts", words.text("Ouverts")),
        ("regles", words.text("Réglés")),
        ("disparus", words.text("Disparus")),
        ("tous", words.text("Tous")),
    )
    return choice_of("etat", words.text("État"), labels, state)


def conflict_of(item: Mapping[str, Any], marks: Mapping[str, Mark], words: Words) -> Conflict:
    """One of the API's conflicts as it is shown."""
    left, right = (NamedRecord(record, mark_of(cluster_of(record), marks)) for record in item["between"])
    member: Mapping[str, Any] = item["member"] or {}
    name = member.get("name")
    is_open = item["state"] in ("open", "told")
    return Conflict(
        id=item["conflict_id"],
        address=f"{PATH}/{item['conflict_id']}",
        what=typeset(item["what"], words.language),
        member=calm(name) if name else words.text("(membre disparu)"),
        member_address=f"{members.PATH}/{member['id']}" if member.get("id") else None,
        left=left,
        right=right,
        state=_state(item["state"], words),
        owner=item["owner"] or words.text("personne encore"),
        since=day_of(item["found_at"], words.language),
        answered=day_of(item["answered_at"], words.language) if item["answered_at"] else None,
        gone=day_of(item["gone_at"], words.language) if item["gone_at"] else None,
        service=_service(item["responsible"], words),
        who=_who(item["responsible"], words),
        command=_command(item) if is_open else None,
        twice=tuple(_twice(each, item["between"], words) for each in item["overlaps"]),
    )


def _command(item: Mapping[str, Any]) -> str:
    return f'traboule conflicts settle {item["responsible"]}:{item["conflict_id"][:12]} --reason "…"'


def _service(responsible: str, words: Words) -> str:
    return words.text("la facturation") if responsible == "billing" else words.text("les événements")


def _who(responsible: str, words: Words) -> str:
    if responsible == "billing":
        return words.text("C’est à la facturation de trancher : rembourser, faire un avoir, ou laisser les deux.")
    return words.text("C’est aux événements de trancher : annuler une des inscriptions, ou laisser les deux.")


def _state(state: str, words: Words) -> Tag:
    match state:
        case "told":
            return Tag("attention", words.text("annoncé"))
        case "open":
            return Tag("attention", words.text("ouvert"))
        case "settled":
            return Tag("good", words.text("réglé"))
        case _:
            return Tag("quiet", words.text("disparu"))


def _twice(overlap: Mapping[str, Any], between: Sequence[str], words: Words) -> Twice:
    if event := overlap.get("event"):
        what = event
    else:
        first, last = (short_day(overlap[name], words.language) for name in ("starts_on", "ends_on"))
        what = words.text("du %(first)s au %(last)s", first=first, last=last)
    sides: tuple[list[str], list[str]] = ([], [])
    for item in overlap["items"]:
        sides[_side(item["from"], between)].append(_item(item, words))
    return Twice(what, tuple(sides[0]), tuple(sides[1]))


def _side(record: str, between: Sequence[str]) -> int:
    """Which of the two has it: itself, or the one of the same cluster where a company has several records in one."""
    if record in between:
        return between.index(record)
    return int(cluster_of(record) == cluster_of(between[1]))


def _item(item: Mapping[str, Any], words: Words) -> str:
    match item["kind"]:
        case "invoice":
            text = words.text("facture")
        case "subscription":
            text = words.text("cotisation")
        case "paid-until":
            text = words.text("payé jusqu’à ce jour, dit sa fiche")
        case _:
            text = words.text("inscription")
    return f"{text} {item['item_id']}" if item.get("item_id") else text
