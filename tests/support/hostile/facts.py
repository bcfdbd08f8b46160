"""One kind of fact for each service, about a record that bears a message's mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from schemas.base import Fact
from tests.support.builders import a_consent, a_member, a_registration, an_invoice
from tests.support.hostile.message import NAME

FACTS: Mapping[str, Callable[[str], Fact]] = {
    "billing": lambda mark: an_invoice(invoice_id=mark, record_id=mark),
    "membership": lambda mark: a_member(record_id=mark, name=NAME, email=None, postcode=None, city=None),
    "events": lambda mark: a_registration(registration_id=mark, record_id=mark),
    "communications": lambda mark: a_consent(consent_id=mark, record_id=mark),
}
