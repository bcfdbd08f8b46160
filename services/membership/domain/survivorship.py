"""Which of several written values a member is shown with, and who said what.

A value that was understood beats one that was not; then the record that was modified last; then the order of keys.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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


def precedence(records: Sequence[SourceRecord]) -> list[SourceRecord]:
    """Records in the order in which they are believed: modified last first, then by key."""
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
    fields = {name: _survivor((record, *_value(record, name)) for record in records) for name in FIELDS}
    fields["contact"] = _survivor((record, _contact(record.written), True) for record in records)
    return {name: survivor for name, survivor in fields.items() if survivor is not None}


def _value(record: SourceRecord, name: str) -> tuple[Any, bool]:
    """What was understood, else what was written; and whether it was understood."""
    if name == "naf" and record.understood.get("naf"):
        nomenclature = record.understood.get("naf_nomenclature")
        return {"code": record.understood["naf"], "nomenclature": nomenclature}, True
    understood = record.understood.get(name)
    if understood is not None:
        return understood, True
    return record.written.get(name) or None, name not in record.understood.get("problem_fields", ())


def _contact(written: Mapping[str, Any]) -> dict[str, Any] | None:
    contact = {name.removeprefix("contact_"): written[name] for name in CONTACT if written.get(name)}
    return contact or None


def _survivor(claims: Iterable[tuple[SourceRecord, Any, bool]]) -> dict[str, Any] | None:
    said: list[tuple[Any, bool, list[str]]] = []
    for record, value, sound in claims:
        if value is None:
            continue
        for held, _, speakers in said:
            if held == value:
                speakers.append(str(record.key))
                break
        else:
            said.append((value, sound, [str(record.key)]))
    if not said:
        return None
    # Stable: among the sound ones, and among the others, precedence stays.
    said.sort(key=lambda one: not one[1])
    (value, _, speakers), *others = said
    survivor = {"value": value, "said_by": speakers}
    if others:
        survivor["others"] = [{"value": other, "said_by": by} for other, _, by in others]
    return survivor
