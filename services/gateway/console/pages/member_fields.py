"""Identité of one member: each value, whose it is, what others say, and why this one is shown."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from babel import Locale

from services.gateway.console.catalogue import Words, typeset
from services.gateway.console.display import Mark, cluster_of, marks_for, short_day, siren

_DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[\w./~%-]*)?", re.IGNORECASE)
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", re.ASCII)
_PHONE: Final = re.compile(r"\+[0-9]{6,15}")
_FRENCH_PHONE: Final = re.compile(r"\+33([0-9])([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})")
MANY: Final = 20
"""So many other values are shown; a member may be made of a thousand records."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A value that records give, and which. ``by`` names them with the day of their last change."""

    value: str
    marks: tuple[Mark, ...]
    by: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``others`` counts what else is given, in words; without it there is nothing to open."""

    name: str
    label: str
    value: str
    link: str | None
    marks: tuple[Mark, ...]
    doubts: tuple[str, ...]
    others: str | None
    because: str | None
    set_by: str | None
    statements: tuple[Statement, ...]


def labels(words: Words) -> dict[str, str]:
    """What each field is called, in the order in which they are shown."""
    return {
        "name": words.text("Nom"),
        "brand": words.text("Enseigne"),
        "legal_form": words.text("Forme juridique"),
        "siren": words.text("SIREN"),
        "siret": words.text("SIRET"),
        "vat": words.text("N° TVA"),
        "rna": words.text("RNA"),
        "naf": words.text("Activité (NAF)"),
        "headcount": words.text("Effectif"),
        "website": words.text("Site"),
        "email": words.text("Courriel"),
        "phone": words.text("Téléphone"),
        "mobile": words.text("Mobile"),
        "contact": words.text("Contact"),
        "street": words.text("Rue"),
        "postcode": words.text("Code postal"),
        "city": words.text("Ville"),
        "departement": words.text("Département"),
        "country": words.text("Pays"),
    }


def fields_of(
    member: Mapping[str, Any],
    doubts: Sequence[Mapping[str, Any]],
    overrides: Sequence[Mapping[str, Any]],
    marks: Mapping[str, Mark],
    words: Words,
) -> tuple[Field, ...]:
    """The fields that anybody filled. ``doubts`` are those of source records, ``overrides`` what was set by hand."""
    return tuple(
        _field(name, label, member[name], _meanings(name, member[name], doubts), overrides, marks, words)
        for name, label in labels(words).items()
        if member.get(name)
    )


def _field(
    name: str,
    label: str,
    shown: Mapping[str, Any],
    doubts: Iterable[str],
    overrides: Sequence[Mapping[str, Any]],
    marks: Mapping[str, Mark],
    words: Words,
) -> Field:
    others: Sequence[Mapping[str, Any]] = shown.get("others") or ()
    value = written(name, shown["value"], words)
    set_by = _set_by(name, shown, overrides, words)
    count = words.plural("%(num)s autre valeur", "%(num)s autres valeurs", len(others)) if others else None
    statements = [_statement(name, shown, marks, words, is_shown=True)]
    statements += [_statement(name, other, marks, words, is_shown=False) for other in others[:MANY]]
    return Field(
        name=name,
        label=label,
        value=value,
        link=_link(name, shown["value"]),
        marks=marks_for(map(cluster_of, shown["said_by"]), marks),
        doubts=tuple(typeset(doubt, words.language) for doubt in doubts),
        others=count or (words.text("fixée à la main") if set_by else None),
        because=None if set_by else because(shown.get("because"), words),
        set_by=set_by,
        statements=tuple(statements),
    )


def _statement(
    name: str, given: Mapping[str, Any], marks: Mapping[str, Mark], words: Words, *, is_shown: bool
) -> Statement:
    records: Sequence[str] = given["said_by"]
    days: Mapping[str, str] = given.get("said_on") or {}
    parts = [_record_on(record, days.get(record), words) for record in records[:MANY]]
    return Statement(
        value=written(name, given["value"], words),
        marks=marks_for(map(cluster_of, records), marks),
        by=" · ".join(parts),
        is_shown=is_shown,
    )


def _record_on(record: str, day: str | None, words: Words) -> str:
    if day is None:
        return record
    return words.text("%(record)s, modifiée le %(day)s", record=record, day=short_day(day, words.language))


def because(rule: str | None, words: Words) -> str | None:
    """Why a value is shown and not another, or None where there was no choice."""
    match rule:
        case "understood":
            return words.text("Affichée parce que les autres valeurs ne sont pas comprises.")
        case "most-recent":
            return words.text("Affichée parce que sa fiche a été modifiée en dernier.")
        case "most-trusted":
            return words.text("Affichée parce que sa source passe avant les autres.")
        case "most-said":
            return words.text("Affichée parce que le plus de fiches la donnent.")
        case "longest":
            return words.text("Affichée parce que c’est la plus complète.")
        case "record-order":
            return words.text("Affichée faute d’autre règle : sa fiche vient en premier.")
        case _:
            return None


def _set_by(name: str, shown: Mapping[str, Any], overrides: Sequence[Mapping[str, Any]], words: Words) -> str | None:
    override = shown.get("override")
    if override is None:
        return None
    day = short_day(override["at"], words.language)
    parts = {name, *(f"contact_{part}" for part in override.get("fields") or ())}
    for entry in overrides:
        if entry["taken_back"] is None and entry["field"] in parts and entry["record"] == override["on"]:
            return words.text(
                "Fixée à la main le %(day)s par %(author)s : %(reason)s",
                day=day,
                author=entry["author"],
                reason=entry["reason"],
            )
    return words.text("Fixée à la main le %(day)s.", day=day)


def _meanings(name: str, shown: Mapping[str, Any], doubts: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """What is doubtful about the value that is shown, each thing once."""
    of = [doubt["meaning"] for doubt in doubts if doubt["field"] == name and doubt["record"] in shown["said_by"]]
    return dict.fromkeys(of)


def written(name: str, value: Any, words: Words) -> str:
    """A field's value as people write it; what is not understood stays as it is."""
    if isinstance(value, Mapping):
        return _OBJECTS[name](value, words) if name in _OBJECTS else ", ".join(map(str, value.values()))
    text = str(value)
    match name:
        case "siren" | "siret":
            return siren(text)
        case "phone" | "mobile":
            return (
                _FRENCH_PHONE.sub(r"0\1 \2 \3 \4 \5", text).replace(" ", "\u00a0") if _PHONE.fullmatch(text) else text
            )
        case "country":
            return Locale(words.language).territories.get(text, text)
        case _:
            return text


def _contact(value: Mapping[str, Any], words: Words) -> str:
    name = " ".join(value[part] for part in ("first_name", "last_name") if value.get(part))
    return ", ".join(part for part in (name, value.get("role")) if part)


def _naf(value: Mapping[str, Any], words: Words) -> str:
    match value.get("nomenclature"):
        case "rev2":
            return words.text("%(code)s (NAF rév. 2)", code=value["code"])
        case "2025":
            return words.text("%(code)s (NAF 2025)", code=value["code"])
        case _:
            return str(value["code"])


_OBJECTS: Final[Mapping[str, Callable[[Mapping[str, Any], Words], str]]] = {"contact": _contact, "naf": _naf}


def _link(name: str, value: Any) -> str | None:
    """Where a value leads, if it is certain to be what it should be: an address is what a stranger wrote."""
    if not isinstance(value, str):
        return None
    match name:
        case "website" if _DOMAIN.fullmatch(value):
            return f"https://{value}"
        case "email" if _EMAIL.fullmatch(value):
            return f"mailto:{value}"
        case "phone" | "mobile" if _PHONE.fullmatch(value):
            return f"tel:{value}"
        case _:
            return None
