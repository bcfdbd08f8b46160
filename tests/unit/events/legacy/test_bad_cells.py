"""Whatever stands in the cells of an export: each row is accepted or set aside, and no row stops the others."""

from pathlib import Path
from random import Random

import pytest

from tests.unit.events.legacy import exports
from tests.unit.events.legacy.test_participants_of_galette_and_odoo import EVENTS, TABLE

HEADERS = {
    "civicrm": (exports.CIVICRM, ","),
    "helloasso": (exports.HELLOASSO, ";"),
    "dolibarr": (exports.ATTENDEES, ","),
    "agenda": (exports.AGENDA, ","),
    "galette": (exports.BOOKINGS, ";"),
    "galette's bookings": (TABLE, ";"),
    "galette's events": (EVENTS, ";"),
    "odoo": (exports.ODOO, ","),
    "eventbrite": (exports.EVENTBRITE, ","),
    "weezevent": (exports.WEEZEVENT, ";"),
    "mapped": ("registration_id;order;event_id;record_id;registered_at;status;seats;name;email;Remarque", ";"),
}
CELLS = (
    "", "", "1", "1", "0", "-1", "13", "99999999999999999999", "1,2E+19", "NULL", "Oui", "Yes", "peut-être", "=1+1",
    "31/02/2026", "05/11/2026 18:30", "2026-11-05 18:30:00", "2026-03-29 02:30:00", "2026-10-25 02:30", "1901-01-01",
    "0001-01-01 00:00:00", "9999-12-31 23:59:59", "11/05/26 10:28 PM", "0000-00-00", "Validé", "Attendee", "Registered",
    "Attending", "open", "AC_EO_INDOORCONF", "a\nb", "a\x01b", "\u202f", "@", "x" * 250, "y" * 1_200, "Zoé;Müller,Roux",
)  # fmt: skip
ROWS = 300


@pytest.mark.parametrize("product", HEADERS)
def test_no_cell_stops_an_import(tmp_path: Path, product: str) -> None:
    header, separator = HEADERS[product]
    names, rng = [name.strip() for name in header.split(separator)], Random(product)
    rows = [exports.row(header, {name: rng.choice(CELLS) for name in names}, separator) for _ in range(ROWS)]
    event = "E" if product in ("helloasso", "eventbrite", "weezevent", "mapped") else None
    report = exports.read(tmp_path, "export.csv", header, *rows, event=event).report
    assert report.rows == ROWS
    assert report.rejections
    assert all(fault.field and fault.reason and fault.line > 1 for fault in report.rejections)
