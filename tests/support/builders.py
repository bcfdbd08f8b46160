"""Facts for tests: frozen, valid, each with ids of its own; a test names only what it is about."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from schemas.billing import InvoiceRecorded, PaymentRecorded
from schemas.communications import ConsentRecorded, MailingRecorded
from schemas.events import EventRecorded, RegistrationRecorded
from schemas.membership import MemberRecorded

_numbers = count(1)
_run = uuid4().hex[:6]


def unique(prefix: str = "x") -> str:
    """An id that no other test, nor an earlier run against the same servers, has used."""
    return f"{prefix}-{_run}-{next(_numbers)}"


def a_member(**different: Any) -> MemberRecorded:
    """A company with an e-mail and a town, and no SIREN, so that it links with nobody."""
    usual: dict[str, Any] = {
        "version": 1,
        "record_id": unique("M"),
        "name": f"Ateliers {unique('SARL')}",
        "email": "contact@exemple.fr",
        "postcode": "69003",
        "city": "Lyon",
        "country": "FR",
    }
    return MemberRecorded(**usual | different)


def an_invoice(**different: Any) -> InvoiceRecorded:
    """An issued invoice of 120 euros, VAT included."""
    usual: dict[str, Any] = {
        "version": 1,
        "invoice_id": unique("F"),
        "record_id": unique("M"),
        "number": "FA2601-0001",
        "issued_on": date(2026, 1, 15),
        "due_on": date(2026, 2, 14),
        "net": Decimal("100.00"),
        "vat": Decimal("20.00"),
        "gross": Decimal("120.00"),
    }
    return InvoiceRecorded(**usual | different)


def a_payment(**different: Any) -> PaymentRecorded:
    """A bank transfer of 120 euros."""
    usual: dict[str, Any] = {
        "version": 1,
        "payment_id": unique("P"),
        "record_id": unique("M"),
        "paid_on": date(2026, 2, 1),
        "amount": Decimal("120.00"),
        "method": "virement",
    }
    return PaymentRecorded(**usual | different)


def an_event(**different: Any) -> EventRecorded:
    """A gathering in Lyon in the autumn."""
    usual: dict[str, Any] = {
        "version": 1,
        "event_id": unique("E"),
        "title": "Rencontre cybersécurité",
        "starts_at": datetime(2026, 10, 8, 16, 0, tzinfo=UTC),
        "place": "Lyon",
    }
    return EventRecorded(**usual | different)


def a_registration(**different: Any) -> RegistrationRecorded:
    """One seat at a gathering."""
    usual: dict[str, Any] = {
        "version": 1,
        "registration_id": unique("R"),
        "event_id": unique("E"),
        "record_id": unique("M"),
        "registered_at": datetime(2026, 9, 1, 8, 30, tzinfo=UTC),
    }
    return RegistrationRecorded(**usual | different)


def a_consent(**different: Any) -> ConsentRecorded:
    """A member who agrees to the newsletter."""
    usual: dict[str, Any] = {
        "version": 1,
        "consent_id": unique("C"),
        "record_id": unique("M"),
        "channel": "bulk-email",
        "purpose": "newsletter",
        "status": "granted",
        "decided_at": datetime(2025, 5, 25, 10, 0, tzinfo=UTC),
    }
    return ConsentRecorded(**usual | different)


def a_mailing(**different: Any) -> MailingRecorded:
    """A newsletter that went to one member."""
    usual: dict[str, Any] = {
        "version": 1,
        "mailing_id": unique("L"),
        "subject": "La lettre de novembre",
        "sent_at": datetime(2026, 11, 2, 7, 0, tzinfo=UTC),
        "recipients": (unique("M"),),
    }
    return MailingRecorded(**usual | different)
