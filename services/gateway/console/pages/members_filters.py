"""What the list of members can be narrowed by, and in which order it stands. All of it is in the address."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Depends, Query

from services.gateway.console.catalogue import Words
from services.gateway.console.choices import Choice, choice_of
from services.gateway.console.display import number
from services.gateway.console.inside import Params

PATH: Final = "/console/membres"
_DUES: Final = {"a-jour": True, "en-retard": False}
_MEMBERSHIP: Final = {"en-cours": True, "terminee": False}
_DAYS: Final = {"aujourd-hui": 0, "7-jours": 7, "30-jours": 30}
_ORDERS: Final = {"": "name", "echeance": "paid_until", "modification": "changed"}


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for, as it stands in the address; empty is everything, by name."""

    q: str = ""
    cluster: str = ""
    origine: str = ""
    departement: str = ""
    cotisation: str = ""
    adhesion: str = ""
    modifie: str = ""
    tri: str = ""

    def address(self, path: str = PATH, **more: str) -> str:
        """Where these are shown."""
        kept = dict(self.fields(**more))
        return f"{path}?{urlencode(kept)}" if kept else path

    def fields(self, **more: str) -> Iterator[tuple[str, str]]:
        """The same as fields of a form."""
        return ((name, value) for name, value in (asdict(self) | more).items() if value)

    def asked(self, today: date) -> Params:
        """The same as the API's parameters."""
        days = _DAYS.get(self.modifie)
        return {
            "search": self.q,
            "cluster": self.cluster,
            "lineage": self.origine,
            "departement": self.departement,
            "paid_up": _DUES.get(self.cotisation),
            "active": _MEMBERSHIP.get(self.adhesion),
            "changed_since": None if days is None else str(today - timedelta(days)),
            "sort": _ORDERS.get(self.tri, "name"),
        }

    @property
    def are_narrow(self) -> bool:
        """Whether there is more than words to search for."""
        return self != Filters(q=self.q, tri=self.tri)


async def filters(
    q: Annotated[str, Query(max_length=200)] = "",
    cluster: str = "",
    origine: str = "",
    departement: str = "",
    cotisation: str = "",
    adhesion: str = "",
    modifie: str = "",
    tri: str = "",
) -> Filters:
    """The filters of an address."""
    return Filters(q.strip(), cluster, origine, departement, cotisation, adhesion, modifie, tri)


Asked = Annotated[Filters, Depends(filters)]


def choices(chosen: Filters, facets: Mapping[str, Any], words: Words) -> tuple[Choice, ...]:
    """The filters and orders; ``facets`` has what the API counts of each option."""
    every, all_of = words.text("Tous"), words.text("Toutes")
    values = asdict(chosen)

    def choice(
        name: str, label: str, everything: str, known: Sequence[tuple[str, str]], counts: Mapping[str, int]
    ) -> Choice:
        shown = {value: number(count, words.language) for value, count in counts.items()}
        return choice_of(name, label, [("", everything), *known], values[name], shown)

    clusters, lineages, departements = (facets[name] for name in ("clusters", "lineages", "departements"))
    places = [(code, f"{code} {name}") for code, name in _named(departements)]
    dues = [("a-jour", words.text("À jour")), ("en-retard", words.text("En retard"))]
    memberships = [("en-cours", words.text("En cours")), ("terminee", words.text("Terminée"))]
    moments = [
        ("aujourd-hui", words.text("Aujourd’hui")),
        ("7-jours", words.text("Depuis 7 jours")),
        ("30-jours", words.text("Depuis 30 jours")),
    ]
    orders = [("echeance", words.text("Échéance")), ("modification", words.text("Modifiés récemment"))]
    return (
        choice("cluster", words.text("Cluster"), every, _named(clusters), _counts(clusters)),
        choice("origine", words.text("Origine"), all_of, _named(lineages), _counts(lineages)),
        choice("departement", words.text("Département"), every, places, _counts(departements)),
        choice("cotisation", words.text("Cotisation"), all_of, dues, _yes_or_no(_DUES, facets["paid_up"])),
        choice("adhesion", words.text("Adhésion"), all_of, memberships, _yes_or_no(_MEMBERSHIP, facets["active"])),
        choice("modifie", words.text("Modifié"), every, moments, {}),
        choice("tri", words.text("Ordre"), words.text("Nom"), orders, {}),
    )


def _named(options: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(option["code"], option["name"] or option["code"]) for option in options]


def _counts(options: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    return {option["code"]: option["members"] for option in options}


def _yes_or_no(meanings: Mapping[str, bool], counts: Mapping[str, int]) -> dict[str, int]:
    return {value: counts["yes" if meaning else "no"] for value, meaning in meanings.items()}
