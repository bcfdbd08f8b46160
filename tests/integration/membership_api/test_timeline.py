from datetime import UTC, datetime
from decimal import Decimal

import pytest

from schemas.billing import InvoiceChanged, PaymentChanged
from schemas.communications import ConsentChanged, MailingChanged
from schemas.events import EventChanged, RegistrationChanged
from schemas.fields import Fact
from schemas.membership import MemberRemoved
from tests.integration.membership_api.doors import CLUSTR, NUMELINK, own_id
from tests.support.builders import a_consent, a_mailing, a_member, a_payment, a_registration, an_event, an_invoice

SIREN = "732829320"


def announced[F: Fact](kind: type[F], fact: Fact, cluster: str) -> F:
    """What one of our services announces of a former system's fact."""
    return kind(**fact.model_dump(), cluster=cluster)
