"""One kind of fact for each service, about a record that bears a message's mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schemas.fields import Fact
from tests.support.builders import a_consent, a_member, a_registration, an_invoice

FACTS: Mapping[str, Callable[[str], Fact]] = {
    "billing": lambda mark: an_invoice(invoice_id=mark, record_id=mark),
    # Alike records are compared with each other, which is not what is tried here.
    "membership": lambda mark: a_member(record_id=mark, name=f"Ateliers {mark}", email=None),
    "events": lambda mark: a_registration(registration_id=mark, record_id=mark),
    "communications": lambda mark: a_consent(consent_id=mark, record_id=mark),
}
