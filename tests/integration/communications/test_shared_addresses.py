"""An address that very many records have, and very many objections of it: a former system may send both."""

from datetime import UTC, datetime
from functools import partial

import pytest

from schemas.communications import ConsentRecorded
from schemas.membership_contacts import ContactDescribed
from services.communications.consents import history
from services.communications.consents.objections import CROWD
from services.communications.contacts.repository import keep_contacts
from services.communications.mirror.handlers import record_consents
from services.communications.mirror.repository import CommunicationsUnitOfWork
from tests.support.mail_server import mail_server
from tests.support.mailing import KEYRING, Mailing, a_mail
from tests.support.merging import envelope, handled

ADDRESS = "info@compta.example"


@pytest.mark.parametrize("objections_first", [True, False])
@pytest.mark.parametrize("records", [CROWD - 5, 400])
async def test_they_add_up_and_do_not_multiply(mailing: Mailing, records: int, objections_first: bool) -> None:
    begin = partial(CommunicationsUnitOfWork, keyring=KEYRING)
    contacts = [
        envelope(
            ContactDescribed(version=1, cluster="numelink", record_id=f"M{n}", name=f"Atelier {n}", email=ADDRESS),
            "/traboule/membership",
        )
        for n in range(records)
    ]
    consents = [
        envelope(
            ConsentRecorded(
                version=1, consent_id=f"C{n}", address=ADDRESS, channel="bulk-email", purpose="news",
                status="refused", decided_at=datetime(2026, 1, 1 + n % 28, tzinfo=UTC),
            ),
            "/numelink/communications",
        )
        for n in range(400)
    ]  # fmt: skip
    batches = [(record_consents, consents), (keep_contacts, contacts)]
    for handler, batch in batches if objections_first else reversed(batches):
        await handled(mailing.engine, begin, handler, batch)

    [(suppressions, published)] = await mailing.rows(
        "select (select count(*) from suppressions), (select sum(length(body)) from outbox)"
    )
    assert suppressions <= 400 + records
    assert published < 2_000 * (400 + records)
    async with mail_server() as server:
        await mailing.queue(a_mail(ADDRESS), a_mail("other@compta.example"))
        await mailing.send(server.port)
    assert [mail.recipient for mail in server.taken] == ["other@compta.example"]


@pytest.mark.parametrize("statistics", ["truncate", "vacuum analyze"])
async def test_each_consent_is_looked_up_by_its_key_while_its_table_is_empty(mailing: Mailing, statistics: str) -> None:
    """Else the statement that is prepared then reads a cluster's whole history for each consent.

    Of a table that was vacuumed when it was empty, the server knows that any index is as good.
    """
    keys = (["numelink"] * 1_000, [f"C{n}" for n in range(1_000)])
    async with mailing.engine.connect() as connection:
        own = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await own.exec_driver_sql(f"{statistics} consent_history")
    by_consent = await _conditions(mailing, history._OF_CONSENTS, keys)  # pyright: ignore[reportPrivateUsage]
    assert all("consent_id = n.consent_id" in line for line in by_consent), by_consent
    by_record = await _conditions(mailing, history._OF_CONTACTS, (*keys, ["a"]))  # pyright: ignore[reportPrivateUsage]
    assert all("record_id = n.record_id" in line or "address_key = " in line for line in by_record), by_record


async def _conditions(mailing: Mailing, sql: str, values: tuple[object, ...]) -> list[str]:
    conditions = [line for (line,) in await mailing.rows(f"explain {sql}", values) if "Index Cond" in line]
    assert conditions
    return conditions
