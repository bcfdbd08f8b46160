"""A rehearsal of mailings knows objections of addresses and of cards, for records and for bare addresses."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from deploy.local.nodes import Nodes
from schemas.base import RecordRef
from schemas.communications import ConsentRecorded
from schemas.membership_contacts import ContactDescribed
from services.common.member_records import apply_merges
from services.communications.contacts.repository import keep_contacts
from services.communications.mirror.handlers import record_consents, record_mailings
from services.communications.mirror.rehearsals import REHEARSALS
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.cutover.rehearsal.running import rehearsed
from tests.support.builders import a_mailing
from tests.support.merging import Database, a_database, envelope, handled, merged

SENT, JANUARY = datetime(2026, 9, 20, 9, 0, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "communications") as database:
        yield database


def a_consent(consent_id: str, **fields: Any) -> ConsentRecorded:
    usual = {"version": 1, "channel": "bulk-email", "purpose": "*", "status": "refused", "decided_at": JANUARY}
    return ConsentRecorded.model_validate(usual | {"consent_id": consent_id} | fields)


def a_contact(record_id: str, email: str | None = None, cluster: str = "numelink", **more: Any) -> ContactDescribed:
    return ContactDescribed(version=1, cluster=cluster, record_id=record_id, email=email, **more)


async def test_whom_we_would_not_have_written_to_is_said_with_the_reason(database: Database) -> None:
    twin, ours = RecordRef(cluster="clustr-numerique", record_id="T"), RecordRef(cluster="numelink", record_id="D")
    recipients, addresses = (
        ("A", "B", "C", "D", "E"),
        ("Lone@x.example", "a@x.example", "b@x.example", "free@x.example"),
    )
    facts: list[tuple[Any, list[Any]]] = [
        (keep_contacts, [a_contact("A", "a@x.example"), a_contact("B", "b@x.example", opt_outs=("bulk-email",))]),
        (keep_contacts, [a_contact("C", "c@x.example"), a_contact("T", "t@x.example", "clustr-numerique")]),
        (record_consents, [a_consent("1", address="a@x.example"), a_consent("2", address="lone@x.example")]),
        (
            record_consents,
            [a_consent("3", address="t@x.example"), a_consent("4", address="c@x.example", status="granted")],
        ),
        (apply_merges, [merged(1, "D", ours, twin)]),
        (record_mailings, [a_mailing(mailing_id="L", sent_at=SENT, recipients=recipients, addresses=addresses)]),
    ]
    async with database.engine() as engine:
        for handler, batch in facts:
            source = (
                "/numelink/communications" if handler in (record_consents, record_mailings) else "/traboule/membership"
            )
            await handled(engine, CommunicationsUnitOfWork, handler, [envelope(fact, source) for fact in batch])
        async with engine.begin() as connection:
            await connection.exec_driver_sql("insert into stages values ('numelink', 'mirror', 1, now(), 'x')")
        result = await rehearsed(engine, "communications", "numelink", REHEARSALS, date(2025, 1, 1))
    reasons = {each.item_id.partition("/")[2]: (each.here or {}).get("because") for each in result.differences}
    assert set(reasons) == {"A", "B", "D", "Lone@x.example", "a@x.example", "b@x.example"}
    assert "the card" in str(reasons["B"])
    assert "an address" in str(reasons["A"])
