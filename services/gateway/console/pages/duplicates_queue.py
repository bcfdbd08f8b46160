"""The queue of questions at the left, and where one is in it: all of that stands in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request

from services.gateway.console.catalogue import Words
from services.gateway.console.choices import Choice, choice_of
from services.gateway.console.display import Mark
from services.gateway.console.pages.duplicates_case import CERTAINTIES, certainty, percent
from services.gateway.console.shouting import member_name

PATH: Final = "/console/doublons"
ROWS: Final = 20
MOST: Final = 100
"""The API answers so many at once."""
MOST_LATER: Final = 60
"""So many questions are remembered to be for later: an address has room for no more."""

_KINDS: Final[Mapping[str, str]] = {"paires": "pair", "groupes": "contested"}


@dataclass(frozen=True, slots=True)
class Place:
    """What the address says: the filters, the page of the queue, and what was put off for later."""

    cluster: str = ""
    kind: str = ""
    certainty: str = ""
    following: str = ""
    later: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: Request) -> "Place":
        """From a request's address."""
        asked = request.query_params
        later = tuple(each for each in asked.get("apres", "").split(",") if each)
        names = ("cluster", "sorte", "certitude", "suite")
        cluster, kind, certain, following = (asked.get(name, "") for name in names)
        return cls(cluster, kind, certain, following, later[-MOST_LATER:])

    def address(self, case_id: str | None = None, **more: str) -> str:
        """The address of the queue, or of a case in it."""
        asked = {
            "cluster": self.cluster,
            "sorte": self.kind,
            "certitude": self.certainty,
            "suite": self.following,
            "apres": ",".join(self.later),
            **more,
        }
        query = urlencode({name: value for name, value in asked.items() if value}, safe=",")
        path = PATH if case_id is None else f"{PATH}/{case_id}"
        return f"{path}?{query}" if query else path

    def without(self, case_id: str) -> "Place":
        """The same, once a question is for later."""
        later = tuple(each for each in self.later if each != case_id)
        return replace(self, later=(*later, case_id)[-MOST_LATER:])

    def parameters(self) -> dict[str, str | int | None]:
        """What the API is asked for."""
        return {
            "cluster": self.cluster,
            "kind": _KINDS.get(self.kind),
            "min_probability": self.certainty,
            "after": self.following,
            "limit": min(ROWS + len(self.later), MOST),
        }


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A question of the queue."""

    name: str
    other: str
    percent: int
    address: str
    is_current: bool
    is_later: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """The questions; ``following`` is where more of them are, ``beginning`` where the first are."""

    rows: tuple[QueueRow, ...]
    total: int
    count: str
    position: str | None
    following: str | None
    beginning: str | None
    crowds: tuple[str, ...]
    has_filters: bool


def first_of(items: Sequence[Mapping[str, Any]], place: Place) -> Mapping[str, Any] | None:
    """The question to answer next: the first that was not put off; of those put off, the first to be."""
    waiting = [item for item in items if item["id"] not in place.later]
    if waiting:
        return waiting[0]
    by_id = {item["id"]: item for item in items}
    return next((by_id[each] for each in place.later if each in by_id), None)


def queue_of(page: Mapping[str, Any], place: Place, current: str | None, words: Words) -> Queue:
    """The API's page as it is shown: what was put off comes last."""
    items: Sequence[Mapping[str, Any]] = sorted(page["items"], key=lambda item: item["id"] in place.later)
    ids = [item["id"] for item in items]
    total: int = page["total"]
    position = None
    if current in ids and not place.following:
        position = words.text("question %(number)s sur %(total)s", number=ids.index(current) + 1, total=total)
    return Queue(
        rows=tuple(_row(item, place, current, words) for item in items),
        total=total,
        count=words.plural("%(num)s question", "%(num)s questions", total),
        position=position,
        following=replace(place, following=page["next"]).address() if page["next"] else None,
        beginning=replace(place, following="").address() if place.following else None,
        crowds=tuple(f"{item['words']} ({item['shared']}, {item['records']})" for item in page["too_many_alike"]),
        has_filters=bool(place.cluster or place.kind or place.certainty),
    )


def _row(item: Mapping[str, Any], place: Place, current: str | None, words: Words) -> QueueRow:
    names = [member_name(member["name"], words) for member in item["members"]]
    others = len(names) - 1
    return QueueRow(
        name=names[0],
        other=names[1] if others == 1 else words.plural("et %(num)s autre", "et %(num)s autres", others),
        percent=percent(item["probability"]),
        address=place.address(item["id"]),
        is_current=item["id"] == current,
        is_later=item["id"] in place.later,
    )


def choices(place: Place, marks: Mapping[str, Mark], words: Words) -> tuple[Choice, ...]:
    """The filters."""
    all_of = words.text("Toutes")
    clusters = [(code, mark.name) for code, mark in marks.items()]
    kinds = [("paires", words.text("Deux membres")), ("groupes", words.text("Groupes contestés"))]
    certainties = [(f"{each:g}", certainty(each, words)) for each in CERTAINTIES]
    return (
        choice_of("cluster", words.text("Cluster"), [("", words.text("Tous")), *clusters], place.cluster),
        choice_of("sorte", words.text("Sorte"), [("", all_of), *kinds], place.kind),
        choice_of("certitude", words.text("Au moins"), [("", all_of), *certainties], place.certainty),
    )
