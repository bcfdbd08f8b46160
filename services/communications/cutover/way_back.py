"""Objections in the columns of a former system: rows that it imports, or a table that a person enters there. Pure.

A plain table has the field names of a consent: once a person entered it there, the same file is imported as what the
former system says, which confirms it.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from shared.importing.cells import harmless


class TakenObjection(NamedTuple):
    """An objection that was taken here. ``item`` names it within its cluster, ``version`` is µs since 1970."""

    item: str
    objection_id: str
    record_id: str | None
    address: str | None
    channel: str
    purpose: str
    at: datetime
    reason: str
    version: int


Cell = Callable[[TakenObjection], str]


@dataclass(frozen=True, slots=True)
class Form:
    """How a software takes objections. ``needs`` are fields without which it cannot."""

    file: str
    cells: Mapping[str, Cell]
    needs: tuple[str, ...] = ()

    def left_out(self, objection: TakenObjection) -> tuple[str, ...]:
        """Which of them are not known."""
        return tuple(name for name in self.needs if not getattr(objection, name))


def _address(objection: TakenObjection) -> str:
    return objection.address or ""


# Brevo's import into the blocklist takes a column of addresses; Mailchimp's as "unsubscribed" likewise.
_BREVO: Final = Form("Brevo blocklist", {"EMAIL": _address}, ("address",))
_MAILCHIMP: Final = Form("Mailchimp unsubscribed", {"Email Address": _address}, ("address",))
_CIVICRM: Final = Form(
    "CiviCRM contacts' opt-outs",
    {"Contact ID": lambda objection: objection.record_id or "", "No Bulk Emails (User Opt Out)": lambda _: "1"},
    ("record_id",),
)
_ODOO: Final = Form("Odoo blacklist", {"Email Address": _address, "Active": lambda _: "True"}, ("address",))
_TABLE: Final = Form(
    "objections",
    {
        "consent_id": lambda objection: f"traboule/{objection.item}",
        "record_id": lambda objection: objection.record_id or "",
        "address": _address,
        "channel": lambda objection: objection.channel,
        "purpose": lambda objection: objection.purpose,
        "status": lambda _: "withdrawn",
        "decided_at": lambda objection: objection.at.isoformat(),
        "source": lambda objection: objection.reason,
    },
)
_FORMS: Final = {"brevo": _BREVO, "mailchimp": _MAILCHIMP, "civicrm": _CIVICRM, "odoo": _ODOO}


def form_for(software: str) -> Form:
    """The form of a software; a table for a person where it imports none, as Sympa, Mailman and Dolibarr."""
    return _FORMS.get(software, _TABLE)


def row_of(objection: TakenObjection, form: Form) -> tuple[str, ...]:
    """In the form's columns."""
    return tuple(cell(objection) for cell in form.cells.values())


def file_of(objections: Iterable[TakenObjection], form: Form) -> bytes:
    """As a file that the software imports, or that a person opens: UTF-8, separated by semicolons."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writerow(form.cells)
    writer.writerows([*map(harmless, row_of(objection, form))] for objection in objections)
    return text.getvalue().encode("utf-8-sig")
