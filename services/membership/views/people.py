"""A company's people: records of persons whose former system says which company they work for, or belong to.

They are shown with the company and say nothing for it: its name, e-mail and refusals are its own, and theirs are
theirs.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from services.membership.records.record import SourceRecord

_WRITTEN = (("name", "name"), ("role", "contact_role"))
_REACHED = ("email", "phone", "mobile")


def split(group: Sequence[SourceRecord]) -> tuple[list[SourceRecord], list[SourceRecord]]:
    """The records that speak for the company, and those of its people, each in the order of ``group``.

    A person whose company is not among them is no company's: then there is nobody else to show.
    """
    persons = [record for record in group if record.written.get("works_for")]
    if len(persons) == len(group):
        return list(group), []
    return [record for record in group if not record.written.get("works_for")], persons


def people(persons: Iterable[SourceRecord]) -> list[dict[str, Any]]:
    """Each person, by name: ``from``, ``name``, and of ``role``, ``email``, ``phone``, ``mobile`` and ``opt_outs`` what
    is known. E-mail and phones are as understood, or else as written.
    """
    return sorted((_person(record) for record in persons), key=lambda person: (person["name"], person["from"]))


def _person(record: SourceRecord) -> dict[str, Any]:
    written, understood = record.written, record.understood
    person = {name: written.get(field) for name, field in _WRITTEN}
    person |= {name: understood.get(name) or written.get(name) for name in _REACHED}
    person["opt_outs"] = sorted(written.get("opt_outs", ()))
    return {"from": str(record.key), **{name: value for name, value in person.items() if value}}
