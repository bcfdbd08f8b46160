"""Who may say what, as the consumer sees it."""

import pytest

from shared.messaging.authenticity import forged_source, forgery
from shared.messaging.delivery import Delivery

PUBLISHERS = {"numelink.billing", "clustr-numerique.billing"}


def a_delivery(user: str | None, key: str) -> Delivery:
    return Delivery("billing.invoice-recorded", b"{}", None, {}, None, user, key)


@pytest.mark.parametrize(
    ("user", "key", "reason"),
    [
        ("numelink.billing", "numelink.billing.invoice-recorded", None),
        (None, "numelink.billing.invoice-recorded", "missing-user-id"),
        ("", "numelink.billing.invoice-recorded", "missing-user-id"),
        ("numelink.billing", "clustr-numerique.billing.invoice-recorded", "foreign-routing-key"),
        ("numelink.billing", "numelink.events.invoice-recorded", "foreign-routing-key"),
        ("numelink.billing", "numelink", "foreign-routing-key"),
        ("numelink.billing", "", "foreign-routing-key"),
        ("admin", "admin", "unknown-publisher"),
        ("third.billing", "third.billing.invoice-recorded", "unknown-publisher"),
    ],
)
def test_user_and_routing_key_must_name_the_same_known_publisher(
    user: str | None, key: str, reason: str | None
) -> None:
    fault = forgery(a_delivery(user, key), PUBLISHERS)
    assert (fault[0] if fault else None) == reason


@pytest.mark.parametrize(
    ("source", "forged"),
    [
        ("/numelink/billing", False),
        ("/clustr-numerique/billing", True),
        ("/numelink/events", True),
        ("numelink/billing", True),
        ("/numelink/billing/", True),
    ],
)
def test_the_source_must_be_the_publishers_own(source: str, forged: bool) -> None:
    assert bool(forged_source(source, "numelink.billing")) is forged
