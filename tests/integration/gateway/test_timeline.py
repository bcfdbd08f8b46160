from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import pytest

from schemas.base import Announced, Fact
from schemas.billing import InvoiceChanged, PaymentChanged
from schemas.communications import ConsentChanged, MailingChanged
from schemas.events import EventChanged, RegistrationChanged
from schemas.membership import MemberRemoved
from services.membership.normalisation.data_quality import MEANINGS
from services.membership.translations import HAPPENED, MEANINGS_FR
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, own_id
from tests.support.builders import a_consent, a_mailing, a_member, a_payment, a_registration, an_event, an_invoice

SIREN = "732829320"
A = TypeVar("A", bound=Announced)


def announced(kind: type[A], fact: Fact, cluster: str) -> A:
    """What one of our services announces of a former system's fact."""
    return kind.model_validate(fact.model_dump() | {"cluster": cluster})


@pytest.fixture
async def member(gateway):
    """A member of both clusters with a long story; returns its id."""
    mine = {"record_id": "7"}
    company = {"name": "Forges du Gier", "siren": SIREN}
    await gateway.feed(CLUSTR, a_member(**mine, **company, member_since="2019-04-01"))
    await gateway.feed(NUMELINK, a_member(record_id="B-1", **company))
    await gateway.feed(CLUSTR, a_member(**mine, **company, member_since="2019-04-01", version=2, phone="0477123456"))
    invoice = an_invoice(**mine, invoice_id="F-1", number="FA-1", gross=Decimal("1200.00"))
    await gateway.feed(
        CLUSTR,
        announced(InvoiceChanged, invoice, CLUSTR),
        announced(InvoiceChanged, an_invoice(**mine, status="draft"), CLUSTR),
        announced(InvoiceChanged, an_invoice(**mine, kind="credit-note", issued_on="2026-03-01"), CLUSTR),
        announced(PaymentChanged, a_payment(**mine, invoice_id="F-1"), CLUSTR),
        announced(PaymentChanged, a_payment(**mine, amount=Decimal("-20.00"), paid_on="2026-03-02"), CLUSTR),
        announced(EventChanged, an_event(event_id="E-1"), CLUSTR),
        announced(RegistrationChanged, a_registration(**mine, event_id="E-1", status="attended"), CLUSTR),
        announced(ConsentChanged, a_consent(**mine, status="withdrawn"), CLUSTR),
        announced(MailingChanged, a_mailing(recipients=("7", "8")), CLUSTR),
    )
    return own_id(CLUSTR, "7")


async def test_a_timeline_tells_what_happened_newest_first(gateway, member):
    answer = await gateway.get(f"/members/{member}/timeline", role="staff")
    entries = answer.json()["items"]

    # The records were taken in just now, whatever the day of the test; dated facts are fixed.
    now = [entry for entry in entries if entry["kind"].startswith("record-")]
    dated = [entry for entry in entries if entry not in now]
    assert [entry["kind"] for entry in now] == ["record-changed", "record-recorded", "record-recorded"]
    assert [(entry.get("on") or entry["at"], entry["kind"]) for entry in dated] == [
        ("2026-11-02T07:00:00Z", "mailing"),
        ("2026-09-01T08:30:00Z", "registration-attended"),
        ("2026-03-02", "refund"),
        ("2026-03-01", "credit-note"),
        ("2026-02-01", "payment"),
        ("2026-01-15", "invoice"),
        ("2025-05-25T10:00:00Z", "consent-withdrawn"),
        ("2019-04-01", "member-since"),
    ]
    assert {entry["from"] for entry in entries} == {f"{CLUSTR}/7", f"{NUMELINK}/B-1"}
    moments = [datetime.fromisoformat(e.get("at") or f"{e['on']}T00:00:00Z").astimezone(UTC) for e in entries]
    assert moments == sorted(moments, reverse=True)


async def test_changes_name_fields_and_never_values(gateway, member):
    answer = await gateway.get(f"/members/{member}/timeline", role="staff")

    changed = next(entry for entry in answer.json()["items"] if entry["kind"] == "record-changed")
    assert changed["fields"] == ["phone"]
    assert "0477123456" not in answer.text


@pytest.mark.parametrize(
    ("asked", "headers", "language", "invoice"),
    [
        ({}, {}, "fr", "Facture : FA-1, 1\u202f200,00\xa0€"),
        ({"lang": "en"}, {}, "en", "Invoice: FA-1, €1,200.00"),
        ({}, {"accept-language": "en-GB,en;q=0.9,fr;q=0.1"}, "en", "Invoice: FA-1, €1,200.00"),
        ({}, {"accept-language": "de, fr;q=0.8, en;q=0.2"}, "fr", "Facture : FA-1, 1\u202f200,00\xa0€"),
        ({"lang": "fr"}, {"accept-language": "en"}, "fr", "Facture : FA-1, 1\u202f200,00\xa0€"),
        ({}, {"accept-language": ";q=x,,*;q="}, "fr", "Facture : FA-1, 1\u202f200,00\xa0€"),
    ],
)
async def test_it_is_told_in_french_or_english(gateway, member, asked, headers, language, invoice):
    answer = await gateway.get(f"/members/{member}/timeline", role="staff", headers=headers, **asked)

    assert answer.headers["content-language"] == language
    assert next(entry["what"] for entry in answer.json()["items"] if entry["kind"] == "invoice") == invoice


@pytest.mark.parametrize("limit", [1, 2, 5, 11, 500])
async def test_its_pages_hold_everything_once(gateway, member, limit):
    whole = (await gateway.get(f"/members/{member}/timeline")).json()
    assert whole["next"] is None

    entries, after = [], {}
    while True:
        page = (await gateway.get(f"/members/{member}/timeline", limit=limit, **after)).json()
        entries += page["items"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}

    assert entries == whole["items"]


async def test_pages_break_well_inside_one_instant(gateway):
    await gateway.feed(NUMELINK, *(a_member(record_id="1", version=version, city=str(version)) for version in range(9)))
    await gateway.sql("update record_history set at = '2026-01-15T00:00:00Z'")
    invoices = [an_invoice(record_id="1", invoice_id=str(number)) for number in range(5)]
    await gateway.feed(NUMELINK, *(announced(InvoiceChanged, invoice, NUMELINK) for invoice in invoices))
    path = f"/members/{own_id(NUMELINK, '1')}/timeline"

    entries, after = [], {}
    while len(entries) < 100:
        page = (await gateway.get(path, limit=3, **after)).json()
        entries += page["items"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}

    assert len(entries) == 14
    assert entries == (await gateway.get(path)).json()["items"]


async def test_a_record_that_came_back_tells_both(gateway):
    member = own_id(NUMELINK, "1")
    await gateway.feed(NUMELINK, a_member(record_id="1"), MemberRemoved(record_id="1", version=2))
    await gateway.feed(NUMELINK, a_member(record_id="1", version=3))

    entries = (await gateway.get(f"/members/{member}/timeline")).json()["items"]

    assert [entry["kind"] for entry in entries] == ["record-recorded", "record-removed", "record-recorded"]


async def test_a_wrong_cursor_is_told(gateway, member):
    answer = await gateway.get(f"/members/{member}/timeline", after="WyJhIiwiYiJd")

    assert answer.status_code == 400


def test_every_word_has_its_translation():
    assert MEANINGS_FR.keys() == MEANINGS.keys()
    assert all(french and english for french, english in HAPPENED.values())


async def test_a_timeline_is_narrowed_to_what_one_asks_about(gateway, member):
    path = f"/members/{member}/timeline"
    all_kinds = [entry["kind"] for entry in (await gateway.get(path, role="staff")).json()["items"]]
    narrowed = {
        about: [entry["kind"] for entry in (await gateway.get(path, role="staff", about=about)).json()["items"]]
        for about in ("dues", "registrations", "mails", "records")
    }
    assert set(narrowed["records"]) == {"record-changed", "record-recorded"}
    assert set(narrowed["registrations"]) == {"registration-attended"}
    assert {"mailing", "consent-withdrawn"} == set(narrowed["mails"])
    # Each is about something, and about one thing only.
    assert sorted(all_kinds) == sorted(kind for kinds in narrowed.values() for kind in kinds)

    first = (await gateway.get(path, role="staff", about="dues", limit=2)).json()
    rest = (await gateway.get(path, role="staff", about="dues", after=first["next"])).json()
    assert [entry["kind"] for entry in (*first["items"], *rest["items"])] == narrowed["dues"]
    assert (await gateway.get(path, role="staff", about="gossip")).status_code == 422
