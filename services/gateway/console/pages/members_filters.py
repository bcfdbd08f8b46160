"""What the list of members can be narrowed by."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.gateway.console.catalogue import Words


@dataclass(frozen=True, slots=True)
class Option:
    """One of a list; ``value`` is what stands in the address."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A list to choose from."""

    name: str
    label: str
    options: tuple[Option, ...]


def choices(chosen: Mapping[str, str], counted: Mapping[str, Any], words: Words) -> tuple[Choice, ...]:
    """The filters; ``chosen`` has each one's value by name, ``counted`` are the API's statistics."""
    every, all_of = words.text("Tous"), words.text("Toutes")
    places = [(code, f"{code} {name}") for code, name in _named(counted["departements"])]
    dues = [("a-jour", words.text("À jour")), ("en-retard", words.text("En retard"))]
    memberships = [("en-cours", words.text("En cours")), ("terminee", words.text("Terminée"))]
    return (
        _choice("cluster", words.text("Cluster"), every, _named(counted["clusters"]), chosen),
        _choice("origine", words.text("Origine"), all_of, _named(counted["lineages"]), chosen),
        _choice("departement", words.text("Département"), every, places, chosen),
        _choice("cotisation", words.text("Cotisation"), all_of, dues, chosen),
        _choice("adhesion", words.text("Adhésion"), all_of, memberships, chosen),
    )


def _named(counts: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(count["code"], count["name"] or count["code"]) for count in counts if count["code"]]


def _choice(
    name: str, label: str, everything: str, options: Sequence[tuple[str, str]], chosen: Mapping[str, str]
) -> Choice:
    value = chosen[name]
    known = [("", everything), *options]
    if value not in dict(known):
        # What the address asks for is shown, or the list would say another thing than what is shown.
        known.append((value, value))
    return Choice(name, label, tuple(Option(code, text, code == value) for code, text in known))
