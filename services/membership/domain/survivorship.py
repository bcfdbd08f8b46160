"""Which of several written values a member is shown with, and who said what.

A value that was understood beats one that was not; then the record that was modified last; then the order of keys.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from services.membership.domain.records import SourceRecord

FIELDS = (
    "name",
    "brand",
    "legal_form",
    "siren",
    "siret",
    "vat",
    "rna",
    "naf",
    "website",
    "email",
    "phone",
    "mobile",
    "street",
    "postcode",
    "city",
    "departement",
    "country",
    "headcount",
)
"""The fields of a consolidated view that survive one by one, in the order in which they are shown."""

CONTACT = ("contact_first_name", "contact_last_name", "contact_role")
_ORDER = (*FIELDS, "contact")


def precedence(records: Sequence[SourceRecord]) -> list[SourceRecord]:
    """Records in the order in which they are believed: modified last first, then by key."""
    if len(records) == 1:
        return list(records)
    return sorted(
        sorted(records, key=lambda record: record.key),
        key=lambda record: record.written.get("modified_on") or "",
        reverse=True,
    )


def survivors(records: Sequence[SourceRecord]) -> dict[str, Any]:
    """For each field that anybody filled: its value, who says so, and what the others say.

    ``records`` come in order of precedence. Shape of each::

        {"value": "69003", "said_by": ["numelink/B-1"], "others": [{"value": "69300", "said_by": ["…"]}]}
    """
    said: dict[str, list[_Said]] = {}
    for record in records:
        speaker = str(record.key)
        for name, value, sound in _claims(record):
            values = said.setdefault(name, [])
            for one in values:
                if one.value == value:
                    one.said_by.append(speaker)
                    break
            else:
                values.append(_Said(value, sound, [speaker]))
    return {name: _survivor(said[name]) for name in _ORDER if name in said}


class _Said(NamedTuple):
    value: Any
    sound: bool
    said_by: list[str]


def _claims(record: SourceRecord) -> Iterable[tuple[str, Any, bool]]:
    """What one record says: field, value as understood, else as written, and whether it was understood."""
    understood, written = record.understood, record.written
    doubtful = understood.get("problem_fields", ())
    for name in FIELDS:
        value = understood.get(name)
        if value is None:
            value = written.get(name)
            if value:
                yield name, value, name not in doubtful
        elif name == "naf":
            yield name, {"code": value, "nomenclature": understood.get("naf_nomenclature")}, True
        else:
            yield name, value, True
    contact = {name.removeprefix("contact_"): written[name] for name in CONTACT if written.get(name)}
    if contact:
        yield "contact", contact, True


def _survivor(said: list[_Said]) -> dict[str, Any]:
    # Stable: among the sound ones, and among the others, precedence stays.
    first, *others = sorted(said, key=lambda one: not one.sound) if len(said) > 1 else said
    survivor = {"value": first.value, "said_by": first.said_by}
    if others:
        survivor["others"] = [{"value": one.value, "said_by": one.said_by} for one in others]
    return survivor
