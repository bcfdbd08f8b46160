"""One plausible fact of each kind that a person is written a letter about, as in :mod:`schemas.examples`."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from schemas import letters
from schemas.base import Content, RecordRef

_VERSION = 1_795_426_200_000_000
_RECIPIENT = letters.Recipient(
    name="Ateliers du Gier",
    email="contact@ateliers-du-gier.example",
    records=(RecordRef(cluster="numelink", record_id="1042"),),
)
_LETTER: dict[str, Any] = {"version": _VERSION, "cluster": "numelink", "recipient": _RECIPIENT}
_PAYABLE: dict[str, Any] = _LETTER | {
    "number": "F-2027-000118",
    "issuer": "Traboule Numérique",
    "amount": Decimal("600.00"),
    "iban": "FR7630006000011234567890189",
    "reference": "RF18F2027000118",
    "due_on": date(2027, 2, 3),
}
_ATTENDANCE: dict[str, Any] = _LETTER | {
    "recipient": letters.Recipient(name="Zoé Müller", email="zoe@ateliers-du-gier.example", language="fr"),
    "registration_id": "apero-2026-11/1042",
    "title": "Apéro des adhérents",
    "starts_at": datetime(2026, 11, 26, 17, 30, tzinfo=UTC),
    "place": "Cité du design, Saint-Étienne",
    "link": "https://adhesion.example/rencontres/apero-2026-11",
}

LETTER_EXAMPLES: Final[Mapping[type[Content], Callable[[], Content]]] = {
    letters.DocumentIssued: lambda: letters.DocumentIssued(
        **_PAYABLE,
        kind="invoice",
        issued_on=date(2027, 1, 4),
        starts_on=date(2027, 1, 1),
        ends_on=date(2027, 12, 31),
        pdf="JVBERi0xLjcK",
    ),
    letters.PaymentReminded: lambda: letters.PaymentReminded(**_PAYABLE, reminder=1),
    letters.DirectDebitAnnounced: lambda: letters.DirectDebitAnnounced(
        **_LETTER,
        debit_id="2027-02/1042",
        number="F-2027-000118",
        issuer="Traboule Numérique",
        amount=Decimal("600.00"),
        collected_on=date(2027, 2, 5),
        account_ending="0189",
        mandate="M-1042",
        creditor_id="FR72ZZZ123456",
    ),
    letters.RegistrationConfirmed: lambda: letters.RegistrationConfirmed(**_ATTENDANCE),
    letters.RegistrationWaiting: lambda: letters.RegistrationWaiting(**_ATTENDANCE, line=3),
    letters.SeatOffered: lambda: letters.SeatOffered(
        **_ATTENDANCE, offer_id="apero-2026-11/1042/1", offered_until=datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    ),
    letters.RegistrationCancelled: lambda: letters.RegistrationCancelled(**_ATTENDANCE),
}
"""How to build the example of each."""
