"""How many members each option of a filter would leave, with all other filters as they are."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.membership.views.lists import Filters, Group

_NAMES: Final = ("cluster", "lineage", "departement", "active", "paid_up")


def _counters() -> dict[str, Counter[str | bool | None]]:
    return {name: Counter() for name in _NAMES}


@dataclass(slots=True)
class Facets:
    """``total`` is what the filters leave; ``counts`` has for each filter the members of each option.

    An option counts what it would leave in place of the one that is chosen.
    """

    total: int = 0
    counts: Mapping[str, Counter[str | bool | None]] = field(default_factory=_counters)


def facets(groups: Iterable[Group], filters: Filters) -> Facets:
    """Add up groups of members; each is looked at once."""
    result = Facets()
    for group in groups:
        failing = list(_failing(group, filters))
        if not failing:
            result.total += group.members
        # What fails at one filter alone would be there with another option of it.
        for name in _NAMES if not failing else failing if len(failing) == 1 else ():
            for option in _options(group, name):
                result.counts[name][option] += group.members
    return result


def _failing(group: Group, filters: Filters) -> Iterator[str]:
    if filters.cluster is not None and filters.cluster not in group.clusters:
        yield "cluster"
    if filters.lineage is not None and filters.lineage not in group.lineages:
        yield "lineage"
    if filters.departement is not None and filters.departement != group.departement:
        yield "departement"
    if filters.active is not None and filters.active is not group.active:
        yield "active"
    if filters.paid_up is not None and filters.paid_up is not group.paid_up:
        yield "paid_up"


def _options(group: Group, name: str) -> Iterable[str | bool | None]:
    match name:
        case "cluster":
            return group.clusters
        case "lineage":
            return group.lineages
        case "departement":
            return (group.departement,)
        case "active":
            return (group.active,)
        case _:
            return (group.paid_up,)
