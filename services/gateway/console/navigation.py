"""Where one can go: one line for each area that has a page. What somebody may not use is absent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from schemas.rights import Right
from services.gateway.auth.caller import Caller
from services.gateway.console.catalogue import Words, words

Group = Literal["daily", "merger", "trades"]


@dataclass(frozen=True, slots=True)
class Area:
    """One area. ``label`` is French; ``key`` opens it after ``g``; ``on_phone`` puts it into the phone's bar."""

    path: str
    label: str
    icon: str
    right: Right | None
    group: Group
    key: str
    on_phone: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An area as somebody sees it from a page. ``count`` is what waits there; 0 is not shown."""

    path: str
    label: str
    icon: str
    group: Group
    key: str
    on_phone: bool
    is_current: bool
    count: int = 0


def areas(chosen: Words) -> tuple[Area, ...]:
    """All of them, in order."""
    return (
        Area("/console", chosen.text("Accueil"), "house", None, "daily", "a", on_phone=True),
        Area("/console/membres", chosen.text("Membres"), "building-2", "read-members", "daily", "m", on_phone=True),
        Area("/console/doublons", chosen.text("Doublons"), "merge", "read-persons", "daily", "d", on_phone=True),
        Area("/console/conflits", chosen.text("Conflits"), "scale", "see-conflicts", "daily", "f"),
        Area("/console/bascule", chosen.text("Bascule"), "arrow-left-right", "see-cutover", "merger", "b"),
        Area("/console/exploitation", chosen.text("Exploitation"), "activity", "see-operations", "merger", "x"),
        Area("/console/acces", chosen.text("Accès"), "key-round", "give-access", "trades", "c"),
    )


GROUPS: Final[tuple[Group, ...]] = ("daily", "merger", "trades")


def entries(person: Caller, path: str, chosen: Words, counts: Mapping[str, int]) -> list[Entry]:
    """The areas that somebody may use; the one that an address lies in is the current one.

    ``counts`` is what waits in each, by its address.
    """
    return [
        Entry(
            path=area.path,
            label=area.label,
            icon=area.icon,
            group=area.group,
            key=area.key,
            on_phone=area.on_phone,
            is_current=_is_in(path, area.path),
            count=counts.get(area.path, 0),
        )
        for area in areas(chosen)
        if area.right is None or person.may(area.right)
    ]


def path_for(person: Caller, path: str) -> str | None:
    """The address of an area, if there is one and somebody may use it: for links from other pages."""
    for area in areas(words("fr")):
        if area.path == path and (area.right is None or person.may(area.right)):
            return path
    return None


def _is_in(path: str, area: str) -> bool:
    return path == area or (area != "/console" and path.startswith(f"{area}/"))
