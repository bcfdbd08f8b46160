"""CiviCRM: contributions, as its search exports them in an English session.

A contribution is due and payment at once, and its period stands on the membership: it has none here. Its id is not
among the primary fields: somebody must tick it, or two payments of one contact could be one. A refund is the same row
with another status. Source: CiviCRM's ``CRM/Export`` and the fields of ``Contribution``.
"""

from collections.abc import Iterator
from typing import Any, Final

from schemas.billing import InvoiceRecorded, PaymentRecorded
from services.billing.legacy.cells import translated
from shared.importing import values
from shared.importing.named_cells import CellError, Cells, made
from shared.importing.outcomes import Outcome
from shared.importing.table import Table

CONTRIBUTIONS = "CiviCRM contributions"
HAS: Final = frozenset({"contact id", "total amount", "contribution status"})
NEEDS: Final = {"contribution id": "Contribution ID"}
_PAID, _OWED, _NOTHING = frozenset({"completed"}), frozenset({"pending", "partially paid"}), frozenset(
    {"cancelled", "failed", "refunded", "chargeback"}
)  # fmt: skip


def translate(table: Table, version: int) -> Iterator[Outcome[Any]]:
    """An invoice for each contribution, and a payment of those that are completed."""
    return translated(table, "Contribution ID", lambda cells, item: _facts(cells, item, version))


def _facts(cells: Cells, item: str, version: int) -> list[InvoiceRecorded | PaymentRecorded]:
    """Raises CellError."""
    status = cells.text("Contribution Status").casefold()
    if values.yes(cells.text("Test")):
        raise CellError("Test", cells.text("Test"), "a test of the payment form is no contribution")
    if status not in _PAID | _OWED | _NOTHING:
        known = ", ".join(sorted(_PAID | _OWED | _NOTHING))
        raise CellError(
            "Contribution Status", cells.text("Contribution Status"), f"is none of {known}: look it up there"
        )
    gross, on = cells.amount("Total Amount"), cells.day("Contribution Date", "Date Received")
    common = {"version": version, "record_id": cells.text("Contact ID")}
    invoice = made(
        InvoiceRecorded,
        **common,
        invoice_id=item,
        number=cells.text("Invoice Number") or f"contribution {item}",
        status="paid" if status in _PAID else "issued" if status in _OWED else "cancelled",
        label=cells.text("Contribution Source", "Financial Type Label", "Financial Type"),
        issued_on=on,
        net=gross,
        vat="0.00",
        gross=gross,
        currency=cells.text("Currency"),
    )
    if status not in _PAID:
        return [invoice]
    method = cells.text("Payment Methods")
    payment = made(PaymentRecorded, **common, payment_id=item, invoice_id=item, paid_on=on, amount=gross, method=method)
    return [invoice, payment]
