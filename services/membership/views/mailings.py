"""Mailings to a member: those to its records, in one list."""

from collections.abc import Sequence
from typing import Any

from services.membership.records.record import Related
from services.membership.views.items import when, without


def mailings(sent: Sequence[Related]) -> list[dict[str, Any]]:
    """The section of the view.

    Each mailing names its recipients, and is kept as it was announced: there is nothing to decide about it, and a
    record's whole list, announced with each new mailing, would grow with the square of their number.
    """
    ordered = sorted(sent, key=lambda item: (when(item.document.get("sent_at")), item.key, item.item_id))
    bookkeeping = ("version", "cluster", "applied_late", "record_id", "recipients")
    return [{"from": str(item.key), **without(item.document, *bookkeeping)} for item in ordered]
